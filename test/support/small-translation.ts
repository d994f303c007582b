// Numbers in words of two languages, and a network that learns in seconds to translate them.
import { type LinePairs, PhiloxStream, translationSet, Words } from '../../lib/data/index.js'
import type { Compiler } from '../../lib/infer/index.js'
import type { Tensor } from '../../lib/graph/index.js'
import { attentionTranslator, type Translator } from '../../lib/models/index.js'
import * as nn from '../../lib/nn/index.js'
import * as ops from '../../lib/ops/index.js'
import * as optim from '../../lib/optim/index.js'
import { type Session, session } from '../../lib/train/index.js'
import { options } from '../e2e/tasks.js'

export const german = ['null', 'eins', 'zwei', 'drei', 'vier', 'fünf']
export const english = ['zero', 'one', 'two', 'three', 'four', 'five']

/** Numbers of `least` to `most` digits in words. */
export function numberPairs(count: number, [least, most]: readonly [number, number], seed = 7): LinePairs {
  const noise = new PhiloxStream(seed, 0, 0)
  const numbers = Array.from({ length: count }, () =>
    Array.from({ length: least + noise.below(most - least + 1) }, () => noise.below(german.length)),
  )
  const lines = (words: readonly string[]) => numbers.map((own) => own.map((digit) => words[digit]).join(' '))
  return { source: lines(german), target: lines(english) }
}

const known = numberPairs(600, [1, 6])
export const source = Words.of(known.source, { least: 1 })
export const target = Words.of(known.target, { least: 1 })

/** What a test asks of a trained network. */
export interface Trained {
  readonly run: Session & Compiler
  readonly net: Translator
}

/** A network that has learned, or with 0 epochs not. */
export async function trained(epochs = 8): Promise<Trained> {
  const net = attentionTranslator({
    ...{ source: source.size, target: target.size, attention: 'additive', embedding: 24, units: 32 },
    dropout: { embedding: 0, reading: 0, writing: 0 },
  })
  const { device } = options()
  const run = await session(
    ({ source: read, input, target: written, sourceLengths, targetLengths }) => {
      const logits = net.logits(read, sourceLengths, input)
      const mask = ops.sequenceMask(targetLengths, written.shape[0] ?? 1)
      const count: Tensor<'f32'> = ops.sum(ops.cast(mask, 'f32'))
      return { loss: { sum: ops.mul(nn.crossEntropy(logits, written, { mask }), count), count } }
    },
    {
      data: translationSet(known, { source, target }),
      ...{ optimizer: optim.adam({ rate: 0.01, clipNorm: 1 }), batch: 32, epochs, precision: 'f32', seed: 3 },
      ...(device && { device }),
    },
  )
  if (epochs > 0) await run.run()
  return { run, net }
}
