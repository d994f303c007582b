// Features against torchaudio's in double precision (test/golden/speech).
import { expect, test } from 'vitest'
import * as nn from '../../../../lib/nn/index.js'
import { difference } from '../../../support/compare.js'
import { ndarray } from '../../../support/ndarray.js'
import { layerOf, soundOf, speechGoldens, wantedOf } from '../../../support/speech-golden.js'
import { followed, heard } from './support.js'

// Numbers are stored with nine digits.
const close = { tolerance: 1e-8, relativeTo: 'tensor' } as const

const ofSound = speechGoldens.filter(({ layer }) => layer !== 'deltas')

test.each(ofSound)('$name', (golden) => {
  const { output } = heard(layerOf(golden), soundOf(golden))
  expect(difference(output, wantedOf(golden), close)).toBeUndefined()
})

test('deltas of deltas', () => {
  const golden = speechGoldens.find(({ layer }) => layer === 'deltas')!
  const want = wantedOf(golden)
  const x = ndarray([want.shape[0]!, 1, want.shape[2]! / 3], golden.x!)
  expect(difference(followed(nn.deltas(golden.options), x), want, close)).toBeUndefined()
})

test('there are cases of each tool', () => {
  expect(speechGoldens.filter(({ name }) => name.startsWith('kaldi')).length).toBeGreaterThanOrEqual(17)
  expect(speechGoldens.filter(({ name }) => name.startsWith('torchaudio')).length).toBeGreaterThanOrEqual(7)
})
