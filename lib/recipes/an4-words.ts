// What may be said in AN4, word by word: the language model that ranks what `an4` hears, of the transcripts of the same speakers to train on. The number
// is of the transcripts of those who are held back, by which its size, its dropout and its epochs were chosen.
import { windowsPerEpoch } from '../data/index.js'
import { lstmLm } from '../models/index.js'
import * as nn from '../nn/index.js'
import * as optim from '../optim/index.js'
import { measures } from '../train/index.js'
import { an4Transcripts } from './speech-sources.js'
import { chosen, type Recipe } from './recipe.js'

/** Words to train on, ends of lines among them, in all orders of the lines; and how many different ones. */
const [tokens, vocabulary] = [22_936, 100]
/** Steps of a window: few lines are longer. */
const window = 16

/** A layer of 200 units. */
export const an4Words: Recipe = {
  name: 'an4-words',
  title: 'An LSTM layer of 200 units guesses the next word of what speakers of AN4 say',
  paper: 'Zaremba, Sutskever & Vinyals 2014, "Recurrent neural network regularization"',
  target: { metric: 'validation perplexity', of: 'perplexity', value: 14.5 },
  data: an4Transcripts,
  build(options = {}) {
    const { epochs = 6, batch = 8, rate = 0.003, text = { tokens, vocabulary } } = chosen(options)
    const steps = windowsPerEpoch(text.tokens, { streams: batch, steps: window, dropLast: true })
    const total = Math.max(20, epochs * steps)
    return {
      net: lstmLm({ vocabulary: text.vocabulary, units: 200, layers: 1, dropout: 0.6, forgetBias: 1 }),
      loss: nn.crossEntropy,
      optimizer: optim.adam({ rate: optim.oneCycle(rate, { total, rise: 0.1 }), clipNorm: 1 }),
      batch,
      epochs,
      rate,
      window,
      measures: { perplexity: measures.perplexity, accuracy: measures.accuracy },
      unit: 'words',
      example: { dtype: 'i32', shape: [window], batchAxis: 1 },
    }
  },
}
