// Six word vectors of two numbers, small enough to work with by hand.
import { KeyedVectors } from '../../../lib/infer/index.js'

/** Of lengths 2, 1, sqrt 2, 3, 0 and 1; directions 0, 90, 45, 180 degrees, none, and about 53.13. */
export const small = new KeyedVectors({
  words: ['east', 'north', 'northeast', 'west', 'nowhere', 'steep'],
  vectors: Float32Array.of(2, 0, 0, 1, 1, 1, -3, 0, 0, 0, 0.6, 0.8),
  counts: [9, 8, 7, 6, 5, 4],
})
