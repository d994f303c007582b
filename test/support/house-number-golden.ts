// What PyTorch computes of shrunken networks that read house numbers (test/golden/make_house_numbers.py), and the same step of ours.
import { count, feed, type Shape, type Tensor } from '../../lib/graph/index.js'
import { houseNumbers, type HouseNumbersConfig, numberCosts } from '../../lib/models/index.js'
import { mean } from '../../lib/ops/index.js'
import { type ModelGolden, spreadOf, stepOf, within } from './model-golden.js'
import { pattern } from './pattern.js'

/** A step of a network. */
export interface HouseNumbersGolden extends ModelGolden {
  readonly name: 'street' | 'small'
  readonly config: HouseNumbersConfig
}

/** Of its four images, as in the script. */
const lengths = [0, 3, 5, 6]

/** What its images show. */
export function labelsOf(): Readonly<Record<'length' | 'digits' | 'mask', readonly number[]>> {
  const places = lengths.flatMap((length, row) => Array.from({ length: 5 }, (_, digit) => ({ length, row, digit })))
  return {
    length: lengths,
    digits: places.map(({ row, digit }) => (row * 7 + digit * 3) % 10),
    mask: places.map(({ length, digit }) => Number(digit < length && length <= 5)),
  }
}

/** What to trace: loss, logits and gradients. */
export function stepOfGolden({ config }: HouseNumbersGolden): () => Readonly<Record<string, Tensor>> {
  const net = houseNumbers(config)
  const rows = lengths.length
  return () => {
    const logits = net(feed('x', 'f32', [rows, 3, config.side, config.side]))
    const loss = mean(
      numberCosts(logits, {
        length: feed('length', 'i32', [rows]),
        digits: feed('digits', 'i32', [rows, 5]),
        mask: feed('mask', 'f32', [rows, 5]),
      }),
    )
    return stepOf(logits, loss, within)
  }
}

/** First values of parameter `order`, counted from 0: biases are small, scales lie about 1. */
export function valueOf(path: string, shape: Shape, order: number): Float64Array {
  const spread = path.endsWith('/b') ? 0.1 : spreadOf(path, shape)
  const values = pattern(new Float64Array(count(shape)), order + 1, spread)
  return path.endsWith('/scale') ? values.map((value) => value + 1) : values
}
