// A small language model on a small text, for tests.
import { PhiloxStream, type Text, Vocabulary } from '../../lib/data/index.js'
import { lstmLm, type LstmLmConfig } from '../../lib/models/index.js'
import * as nn from '../../lib/nn/index.js'
import * as optim from '../../lib/optim/index.js'
import { measures as known, session, type SessionOptions } from '../../lib/train/index.js'

export const vocabulary = 7
export const config: LstmLmConfig = { vocabulary, units: 12, layers: 2, dropout: 0, init: 0.1 }

/** Tokens that mostly follow one another in a circle, with some noise. */
export function circle(length: number, seed = 5): Text {
  const noise = new PhiloxStream(seed, 0, 0)
  let at = 0
  const tokens = Int32Array.from(
    { length },
    () => (at = noise.below(10) === 0 ? noise.below(vocabulary) : (at + 1) % vocabulary),
  )
  return { tokens, vocabulary: new Vocabulary({ unit: 'character', tokens: Array.from('abcdefg') }) }
}

export const text = circle(400)

const { accuracy, bits, perplexity, top5 } = known
const measures = { accuracy, bits, perplexity, top5 }

export function options(more: Partial<SessionOptions> = {}): SessionOptions {
  return {
    data: text,
    loss: nn.crossEntropy,
    overTime: 'sum',
    optimizer: optim.sgd({ rate: 0.1 }),
    batch: 4,
    window: 5,
    measures: { ...measures },
    device: 'cpu',
    precision: 'f32',
    ...more,
  }
}

export async function using<T>(
  more: Partial<SessionOptions>,
  work: (run: Awaited<ReturnType<typeof session>>) => Promise<T>,
  net: LstmLmConfig = config,
): Promise<T> {
  const run = await session(lstmLm(net), options(more))
  try {
    return await work(run)
  } finally {
    await run.dispose()
  }
}

/** Losses of the first steps. */
export async function losses(more: Partial<SessionOptions>, steps: number, net = config): Promise<number[]> {
  return using(
    more,
    async (run) => {
      const seen: number[] = []
      for await (const event of run.events()) {
        if (event.type === 'step') seen.push(event.loss)
        if (seen.length === steps) break
      }
      return seen
    },
    net,
  )
}

export const still = { optimizer: optim.sgd({ rate: 0 }) }
