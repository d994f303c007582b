// How hard each token of a text is to guess: what ensembles of language models are averaged by.
import type { CompilePrecision } from '../compile/index.js'
import { type Text, windows } from '../data/index.js'
import { feed, type Tensor } from '../graph/index.js'
import { cast, crossEntropy, reshape } from '../ops/index.js'
import { withFreshStreams } from '../ops/streams.js'
import type { Built, Programs } from '../train/programs.js'
import { prepared } from '../train/objective.js'
import type { Inputs, Network } from '../train/types.js'

interface TokenLossOptions {
  readonly net: Network
  readonly inputs: Inputs
  readonly precision: CompilePrecision
  readonly text: Text
  readonly window: number
}

/** -log p of the tokens 1, 2, ... of a text, f32, in nats; the state goes on from its first token to its last. */
export async function tokenLosses(
  programs: Programs,
  { net, inputs, precision, text, window }: TokenLossOptions,
): Promise<Float32Array> {
  const losses = new Float32Array(text.tokens.length - 1)
  const built = new Map<number, Built>()
  let at = 0
  let running: Promise<unknown> = Promise.resolve()
  try {
    for (const { feeds, steps } of windows(text, { streams: 1, steps: window })) {
      let one = built.get(steps)
      if (one === undefined) {
        one = await programs.build({ name: `losses${steps}`, mode: 'eval', precision }, () =>
          lossesOf(net, inputs, steps),
        )
        built.set(steps, one)
      }
      const next = one.program.run(feeds, { losses: losses.subarray(at, at + steps) })
      next.catch(() => undefined)
      await running
      running = next
      at += steps
    }
  } finally {
    await running
  }
  for (const one of built.values()) programs.free(one)
  return losses
}

function lossesOf(net: Network, inputs: Inputs, steps: number): { losses: Tensor } {
  const x = prepared(inputs, 'x', feed('x', 'i32', [steps, 1]))
  const target = cast(prepared(inputs, 'target', feed('target', 'i32', [steps, 1])), 'i32')
  const logits = withFreshStreams(feed('fresh', 'f32', [1]), () => net(x))
  return { losses: crossEntropy(reshape(logits, [steps, -1]), reshape(target, [steps])) }
}
