// What decoding refuses: logits of other extents or that are no numbers, and options.
import { describe, expect, it } from 'vitest'
import { Alphabet, DataError } from '../../../lib/data/index.js'
import { ctcGreedy, prefixBeamSearch } from '../../../lib/infer/index.js'
import { drawnLogits, logProbabilities } from '../../support/ctc.js'

const letters = (count: number): Alphabet => Alphabet.of(['abcdefghij'.slice(0, count)], 'character')

describe('logits', () => {
  const alphabet = letters(2)
  const logits = drawnLogits(1, 4, 3)
  it.each([
    [
      logits.subarray(1),
      {},
      DataError,
      'logits [T, N, K] of 1 utterances and the 3 symbols of the alphabet, got 11 of them',
    ],
    [new Float32Array(0), {}, DataError, 'got 0 of them'],
    [logits, { lengths: new Int32Array(0) }, DataError, 'of 0 utterances'],
    [logits, { lengths: Int32Array.of(4, 4) }, undefined, '[lengths]: expected at most 2 frames, got 4 in utterance 0'],
    [logits, { lengths: Int32Array.of(5) }, DataError, '[lengths]: expected at most 4 frames, got 5 in utterance 0'],
    [logits, { lengths: Int32Array.of(-1) }, DataError, 'got -1 in utterance 0'],
    [logits, { lengths: [4] }, undefined, '[lengths]: expected an Int32Array'],
    [logits, { length: 4 }, undefined, 'did you mean lengths?'],
    [[...logits], {}, undefined, '[logits]: expected a Float32Array'],
    [
      logits.map((x, i) => (i === 7 ? NaN : x)),
      {},
      undefined,
      '[logits]: expected numbers, got others in frame 2 of utterance 0',
    ],
    [logits.map((x, i) => (i === 7 ? Infinity : x)), {}, undefined, 'got others in frame 2'],
    [logits.map((x, i) => (i >= 3 && i < 6 ? -Infinity : x)), {}, undefined, 'got others in frame 1'],
  ])('%# are refused', async (given, options, type, message) => {
    expect(() => ctcGreedy(alphabet, given as Float32Array, options as never)).toThrow(
      `ctcGreedy${message[0] === '[' ? message : ''}`,
    )
    if (type !== undefined) expect(() => ctcGreedy(alphabet, given, options)).toThrow(type)
    await expect(prefixBeamSearch(alphabet).run(given as Float32Array, options as never)).rejects.toThrow(message)
  })

  it('may be minus infinity beside others, and are log-probabilities as well', async () => {
    const some = logits.map((x, i) => (i === 4 ? -Infinity : x))
    const same = Float32Array.from(logProbabilities(some, 3).flat())
    const [[a], [b]] = await Promise.all([prefixBeamSearch(alphabet).run(some), prefixBeamSearch(alphabet).run(same)])
    expect(a![0]!.text).toBe(b![0]!.text)
    expect(a![0]!.score).toBeCloseTo(b![0]!.score, 5)
  })
})

describe('options', () => {
  it.each([
    [{ beam: 0 }, 'prefixBeamSearch[beam]: expected a whole number of at least 1, got 0'],
    [{ beams: 10 }, 'did you mean beam?'],
    [{ prune: 0 }, 'prefixBeamSearch[prune]: expected a number above 0, got 0'],
    [{ prune: NaN }, 'prefixBeamSearch[prune]: expected a number above 0, got NaN'],
    [{ alpha: -1 }, 'prefixBeamSearch[alpha]: expected a number of at least 0, got -1'],
    [{ beta: Infinity }, 'prefixBeamSearch[beta]: expected a finite number'],
    [{ unknown: 1 }, 'prefixBeamSearch[unknown]: expected a number of at most 0, got 1'],
    [{ languageModel: {} }, 'prefixBeamSearch[languageModel]: expected a language model, got {}'],
    [{ beam: 2 ** 30 }, 'prefixBeamSearch[beam]: expected a beam for 3 symbols below 536870912'],
  ])('%j are refused', (options, message) => {
    expect(() => prefixBeamSearch(letters(2), options as never)).toThrow(message)
  })

  it('are those of an alphabet', () => {
    expect(() => prefixBeamSearch({} as never)).toThrow('prefixBeamSearch[alphabet]: expected an Alphabet, got {}')
  })
})
