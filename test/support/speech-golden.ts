// What torchaudio computed of made-up sounds (test/golden/make_speech.py), and layers to hold to it.
import { existsSync, readFileSync } from 'node:fs'
import * as nn from '../../lib/nn/index.js'
import { type NDArray, ndarray } from './ndarray.js'

/** Features of one sound. */
export interface SpeechGolden {
  readonly name: string
  readonly layer: 'filterBanks' | 'mfcc' | 'spectrogram' | 'deltas'
  readonly options: object
  /** Which sound. */
  readonly sound: number
  /** [T, D] */
  readonly shape: readonly number[]
  readonly data: readonly number[]
  /** Of deltas: what they are of, [T, D / 3]. */
  readonly x?: readonly number[]
}

interface File {
  /** Whole numbers of 16 bits. */
  readonly sounds: readonly (readonly number[])[]
  readonly cases: readonly SpeechGolden[]
}

const path = new URL('../golden/speech/features.json', import.meta.url)
const file = (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : { sounds: [], cases: [] }) as File

export const speechGoldens: readonly SpeechGolden[] = file.cases

/** The layer of a case over sound. */
export function layerOf({ layer, options }: SpeechGolden): nn.FrameLayer {
  const make = { filterBanks: nn.filterBanks, mfcc: nn.mfcc, spectrogram: nn.spectrogram }[layer as 'mfcc']
  return make(options as nn.MfccOptions)
}

/** The sound of a case, of full scale 1: [S, 1]. */
export function soundOf({ sound }: SpeechGolden): NDArray {
  const own = file.sounds[sound]!
  return ndarray(
    [own.length, 1],
    own.map((value) => value / 32768),
  )
}

/** [T, 1, D] */
export function wantedOf({ shape, data }: SpeechGolden): NDArray {
  return ndarray([shape[0]!, 1, shape[1]!], data)
}
