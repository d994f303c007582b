// Character models of Shakespeare's plays, after char-rnn (Karpathy 2015, "The unreasonable effectiveness of recurrent neural
// networks"), by Adam on a one-cycle rate so that minutes on a CPU are enough. There is no test part: the numbers are of the held-back
// tenth, which is measured after each epoch; nothing is chosen or stopped by it.
import { windowsPerEpoch } from '../data/index.js'
import { charLstm, charMrnn, lstmLm, mrnnLm } from '../models/index.js'
import * as nn from '../nn/index.js'
import * as optim from '../optim/index.js'
import { measures, type Network } from '../train/index.js'
import { shakespeareSource } from './data-sources.js'
import { chosen, type Recipe } from './recipe.js'

/** Characters to train on. */
const tokens = 1_003_854
const vocabulary = 65

interface Written extends Pick<Recipe, 'name' | 'title' | 'paper' | 'target'> {
  /** Steps of a window. */
  readonly window: number
  readonly epochs: number
  readonly rate: number
  readonly net: (vocabulary: number) => Network
}

function recipe({ window, epochs: all, rate: peak, net, ...about }: Written): Recipe {
  return {
    ...about,
    data: shakespeareSource,
    build(options = {}) {
      const { epochs = all, batch = 32, rate = peak, text = { tokens, vocabulary } } = chosen(options)
      const steps = windowsPerEpoch(text.tokens, { streams: batch, steps: window, dropLast: true })
      const total = Math.max(20, epochs * steps)
      return {
        net: net(text.vocabulary),
        loss: nn.crossEntropy,
        optimizer: optim.adam({ rate: optim.oneCycle(rate, { total, rise: 0.1 }), clipNorm: 1 }),
        batch,
        epochs,
        rate,
        window,
        measures: { bits: measures.bits, accuracy: measures.accuracy },
        unit: 'characters',
        example: { dtype: 'i32', shape: [window], batchAxis: 1 },
      }
    },
  }
}

/** An LSTM layer of 512 units on tinyshakespeare; the last tenth is held back, as nanoGPT does. */
export const shakespeare = recipe({
  name: 'shakespeare',
  title: 'An LSTM layer of 512 units learns to write like Shakespeare, letter by letter',
  paper: 'Karpathy 2015, char-rnn; Hochreiter & Schmidhuber 1997, "Long short-term memory"',
  target: { metric: 'validation loss', of: 'loss', value: 1.5 },
  ...{ window: 64, epochs: 12, rate: 0.004 },
  net: (size) => lstmLm({ ...charLstm, vocabulary: size }),
})

/** The multiplicative network of the lecture's "The meaning of life" sample, on Shakespeare, by Adam. */
export const shakespeareMrnn = recipe({
  name: 'shakespeare-mrnn',
  title: 'A multiplicative network of 512 units and factors writes like Shakespeare',
  paper: 'Sutskever, Martens & Hinton 2011, "Generating text with recurrent neural networks"',
  target: { metric: 'validation loss', of: 'loss', value: 1.6 },
  ...{ window: 32, epochs: 12, rate: 0.002 },
  net: (size) => mrnnLm({ ...charMrnn, vocabulary: size }),
})
