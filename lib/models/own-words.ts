// What a translator writes when it is fed its own words: for networks that learn to go on from their mistakes, and to measure how well they do.
import type { Tensor } from '../graph/index.js'
import { argmax, concat, less, randomUniform, reshape, slice, where } from '../ops/index.js'
import type { Translator } from './translator.js'

/**
 * Logits f32 [T, N, words] of a translation, each behind the words before it: with probability `share` the likeliest word of the step
 * before, otherwise the one of `before` i32 [T, N], a sign of beginning and the translation. No gradient reaches the choice of a word.
 * @see Bengio, Vinyals, Jaitly & Shazeer 2015, "Scheduled sampling for sequence prediction with recurrent neural networks", 2.3, the
 *   likeliest word in the place of a drawn one.
 * @example ownWordLogits(net, source, lengths, input, 1) // nothing of the translation but its beginning and its length
 */
export function ownWordLogits(
  net: Translator,
  source: Tensor<'i32'>,
  lengths: Tensor<'i32'>,
  before: Tensor<'i32'>,
  share: number,
): Tensor<'f32'> {
  const { states: start, memory } = net.read(source, lengths)
  const [steps = 1, rows = 1] = before.shape
  const given = (t: number): Tensor<'i32'> => reshape(slice(before, [t, 0], [1, rows]), [rows])
  const all: Tensor<'f32'>[] = []
  let word = given(0)
  let states = start
  for (let t = 0; t < steps; t++) {
    const { logits, states: after } = net.write(word, states, memory)
    all.push(reshape(logits, [1, ...logits.shape]))
    states = after
    if (t + 1 === steps) break
    const own: Tensor<'i32'> = argmax(logits, -1)
    word = share === 1 ? own : where(less(randomUniform([rows]), share), own, given(t + 1))
  }
  return concat(all, 0)
}
