// Whole house numbers off images: the paper's network on photographs, for a GPU, and a small one on composed numbers, for two CPU cores; one of
// these then reads photographs. Learning rates, batches and schedules are not published: these are our own. The numbers are shares of whole
// numbers, without partial credit.
import type { FieldSpec } from '../data/index.js'
import { ofDType } from '../graph/index.js'
import {
  houseNumbers,
  type HouseNumbersConfig,
  likeliestNumbers,
  numberCosts,
  numberHeads,
  type NumberLabels,
  rightNumbers,
  smallHouseNumbers,
  streetViewNumbers,
} from '../models/index.js'
import * as nn from '../nn/index.js'
import { cast, mean, sum } from '../ops/index.js'
import * as optim from '../optim/index.js'
import { measures, type Network, type Objective } from '../train/index.js'
import { numberStripsSource, svhnSource, svhnStripsSource } from './data-sources.js'
import { chosen, type DataSource, fieldOf, type Recipe, type Target } from './recipe.js'

const whole = { better: 'more', format: 'percent', title: 'whole-number accuracy' } as const
const single = { better: 'more', format: 'percent', title: 'per-digit accuracy' } as const
/** The accuracy that coverage is told at, as in the paper. */
const ACCURACY = 0.98
const coverage = { better: 'more', format: 'percent', title: 'coverage at 98 %' } as const
const threshold = { better: 'less', format: { digits: 3 }, title: 'confidence for 98 %' } as const

/** -log p of the numbers, a mean over images; how many are right as a whole, and which digits that are there. */
function objectiveOf(net: Network): Objective {
  return (fields) => {
    const logits = ofDType(net(fieldOf(fields, 'x', 'f32')), 'f32', 'logits')
    const [length, digits] = [fieldOf(fields, 'length', 'i32'), fieldOf(fields, 'digits', 'i32')]
    const mask = fieldOf(fields, 'mask', 'f32')
    const all: NumberLabels = { length, digits, mask }
    const found = likeliestNumbers(logits)
    const right = rightNumbers(found, all)
    const sure = { confidence: found.confidence, right, accuracy: ACCURACY }
    return {
      loss: mean(numberCosts(logits, all)),
      wholeNumber: measures.mean({ ...whole, sum: sum(right), count: right.shape[0]! }),
      digit: { ...measures.accuracy(numberHeads(logits).digits, digits, mask), title: single.title },
      coverage: measures.coverage(sure),
      threshold: measures.coverageThreshold(sure),
    }
  }
}

interface Read {
  readonly name: string
  readonly title: string
  readonly target: Pick<Target, 'value'>
  readonly data: DataSource
  readonly config: HouseNumbersConfig
  /** Images to train on in an epoch, unless the data says otherwise. */
  readonly images: number
  readonly epochs: number
  readonly batch: number
  readonly rate: number
}

function recipe({ name, title, target, data, config, images, ...usual }: Read): Recipe {
  return {
    ...{ name, title, data },
    paper:
      'Goodfellow, Bulatov, Ibarz, Arnoud & Shet 2014, "Multi-digit number recognition from Street View imagery using deep convolutional neural networks"',
    target: { metric: 'test whole-number accuracy', of: 'wholeNumber', ...target },
    build(options = {}) {
      const { epochs = usual.epochs, batch = usual.batch, rate = usual.rate, examples = images } = chosen(options)
      const net = houseNumbers(config)
      const total = Math.max(20, epochs * Math.floor(examples / batch))
      const example: FieldSpec = { dtype: 'u8', shape: [3, config.side, config.side] }
      return {
        net,
        readsNumbers: true,
        loss: nn.crossEntropy,
        objective: objectiveOf(net),
        infos: { wholeNumber: whole, digit: single, coverage, threshold },
        optimizer: optim.adam({ rate: optim.oneCycle(rate, { total, rise: 0.2 }), clipNorm: 5 }),
        batch,
        epochs,
        rate,
        unit: 'images',
        inputs: { mask: (there) => cast(there, 'f32') },
        example,
        fields: {
          x: example,
          length: { dtype: 'i32', shape: [] },
          digits: { dtype: 'i32', shape: [5] },
          mask: { dtype: 'u8', shape: [5] },
        },
      }
    },
  }
}

/** The paper's network on Street View House Numbers, with those of `extra` where they are there. */
export const houseNumbersRecipe = recipe({
  name: 'house-numbers',
  title: 'A deep network reads whole house numbers off photographs',
  target: { value: 0.9603 },
  data: svhnSource,
  config: streetViewNumbers,
  ...{ images: 230_755, epochs: 30, batch: 128, rate: 5e-4 },
})

/** A small network on numbers of one to five of MNIST's digits. */
export const houseNumbersStrips = recipe({
  name: 'house-numbers-strips',
  title: 'A small network reads composed numbers of one to five handwritten digits',
  target: { value: 0.96 },
  data: numberStripsSource,
  config: smallHouseNumbers,
  ...{ images: 50_000, epochs: 42, batch: 64, rate: 0.003 },
})

/** A small network on numbers that are composed of digits of photographs and of MNIST's, which then reads whole numbers off other photographs. */
export const houseNumbersTransfer = recipe({
  name: 'house-numbers-transfer',
  title: 'A small network that learned from composed numbers reads whole house numbers off photographs',
  target: { value: 0.7 },
  data: svhnStripsSource,
  config: { ...smallHouseNumbers, units: [32, 32, 64, 64, 128, 128], pools: [2, 2, 0, 2, 0, 0], dropout: [0, 0.2] },
  ...{ images: 50_000, epochs: 20, batch: 128, rate: 0.002 },
})
