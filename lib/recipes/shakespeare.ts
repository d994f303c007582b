// A character model of Shakespeare's plays, after char-rnn (Karpathy 2015, "The unreasonable effectiveness of recurrent neural
// networks"), by Adam on a one-cycle rate so that minutes on a CPU are enough.
import { windowsPerEpoch } from '../data/index.js'
import { charLstm, lstmLm } from '../models/index.js'
import * as nn from '../nn/index.js'
import * as optim from '../optim/index.js'
import { shakespeareSource } from './data-sources.js'
import type { Recipe } from './recipe.js'

/** Characters to train on. */
const tokens = 1_003_854
const window = 64

/** An LSTM layer of 512 units on tinyshakespeare; the last tenth is held back, as nanoGPT does. */
export const shakespeare: Recipe = {
  name: 'shakespeare',
  title: 'An LSTM layer of 512 units learns to write like Shakespeare, letter by letter',
  paper: 'Karpathy 2015, char-rnn; Hochreiter & Schmidhuber 1997, "Long short-term memory"',
  target: { metric: 'validation loss', of: 'loss', value: 1.5 },
  data: shakespeareSource,
  build({ epochs = 12, batch = 32, rate = 0.004, text = { tokens, vocabulary: charLstm.vocabulary } } = {}) {
    const steps = windowsPerEpoch(text.tokens, { streams: batch, steps: window, dropLast: true })
    const total = Math.max(10, epochs * steps)
    return {
      net: lstmLm({ ...charLstm, vocabulary: text.vocabulary }),
      loss: nn.crossEntropy,
      optimizer: optim.adam({ rate: optim.oneCycle(rate, { total, rise: 0.1 }), clipNorm: 1 }),
      batch,
      epochs,
      rate,
      window,
      metrics: ['bits'],
      unit: 'characters',
      example: { dtype: 'i32', shape: [window], batchAxis: 1 },
    }
  },
}
