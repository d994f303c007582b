// The lecture's language models of the Penn Treebank, exactly as published: plain SGD on the loss summed over time, rate 1 that
// falls each epoch after the first few, gradients clipped by their common norm, state carried from window to window. The numbers are of
// the test part, measured once, at the end; the validation part is measured after each epoch.
import { windowsPerEpoch } from '../data/index.js'
import { awdLstm, lstmLm, ptbAwd as ptbAwdConfig, ptbLstm } from '../models/index.js'
import * as nn from '../nn/index.js'
import * as optim from '../optim/index.js'
import { ptbSource } from './data-sources.js'
import { measures } from '../train/index.js'
import { chosen, type Recipe } from './recipe.js'

/** Tokens to train on. */
const tokens = 929_589

interface Published {
  readonly size: keyof typeof ptbLstm
  /** Steps of a window. */
  readonly window: number
  readonly epochs: number
  /** Epochs with the full rate. */
  readonly hold: number
  /** By which the rate is divided in each epoch after them. */
  readonly divisor: number
  readonly clip: number
  readonly perplexity: number
}

function recipe({ size, window, epochs: all, hold, divisor, clip, perplexity }: Published): Recipe {
  return {
    name: `ptb-${size}`,
    title: `Two LSTM layers of ${ptbLstm[size].units} units guess the next word of the Wall Street Journal`,
    paper: 'Zaremba, Sutskever & Vinyals 2014, "Recurrent neural network regularization"',
    target: { metric: 'test perplexity', of: 'perplexity', value: perplexity },
    data: ptbSource,
    build(options = {}) {
      const {
        epochs = all,
        batch = 20,
        rate = 1,
        text = { tokens, vocabulary: ptbLstm[size].vocabulary },
      } = chosen(options)
      const every = windowsPerEpoch(text.tokens, { streams: batch, steps: window, dropLast: true })
      return {
        net: lstmLm({ ...ptbLstm[size], vocabulary: text.vocabulary }),
        loss: nn.crossEntropy,
        overTime: 'sum',
        optimizer: optim.sgd({ rate: optim.stepDecay(rate, { every, factor: 1 / divisor, hold }), clipNorm: clip }),
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
}

/** 200 units, no dropout: 4,653,200 parameters. */
export const ptbSmall = recipe({
  ...{ size: 'small', window: 20, epochs: 13, hold: 4, divisor: 2, clip: 5 },
  perplexity: 114.5,
})

/** 650 units, half of all non-recurrent connections dropped: 19,780,400 parameters. */
export const ptbMedium = recipe({
  ...{ size: 'medium', window: 35, epochs: 39, hold: 6, divisor: 1.2, clip: 5 },
  perplexity: 82.7,
})

/** 1500 units, 65 % of all non-recurrent connections dropped: 66,034,000 parameters. */
export const ptbLarge = recipe({
  ...{ size: 'large', window: 35, epochs: 55, hold: 14, divisor: 1.15, clip: 10 },
  perplexity: 78.4,
})

/**
 * One network below the lecture's ensemble of 68: three layers, tied and regularised (24,221,600 parameters), by SGD with clipped
 * gradients whose weights are averaged once the validation loss stalls (58.8 as published, without fine-tuning); for a GPU.
 */
export const ptbAwd: Recipe = {
  name: 'ptb-awd',
  title: 'Three LSTM layers with dropped weights and a tied embedding guess the next word: one model',
  paper: 'Merity, Keskar & Socher 2018, "Regularizing and optimizing LSTM language models"',
  target: { metric: 'test perplexity', of: 'perplexity', value: 68 },
  data: ptbSource,
  build(options = {}) {
    const {
      epochs = 500,
      batch = 20,
      rate = 30,
      text = { tokens, vocabulary: ptbAwdConfig.vocabulary },
    } = chosen(options)
    const window = 70
    return {
      net: awdLstm({ ...ptbAwdConfig, vocabulary: text.vocabulary }),
      loss: nn.crossEntropy,
      optimizer: optim.sgd({ rate, clipNorm: 0.25, weightDecay: 1.2e-6, average: { patience: 5 } }),
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
