// HTK's features of a recorded sentence, with the sound: shared/data/speech-features.
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { readTar } from '../../lib/data/tar.js'
import { type NDArray, ndarray } from './ndarray.js'
import { sharedData } from './shared-data.js'

const path = sharedData('speech-features', 'speech-feature-refs.tar.gz')

/** The files of Kaldi's tests; undefined where they are not. */
export const htkFiles: ReadonlyMap<string, Uint8Array> | undefined =
  path === undefined
    ? undefined
    : new Map(
        Array.from(readTar(gunzipSync(readFileSync(path)), path), ({ name, data }) => [name.split('/').at(-1)!, data]),
      )

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The sentence, 16 kHz, of full scale 1: [S, 1]. */
export function htkSound(): NDArray {
  const bytes = htkFiles!.get('test.wav')!
  const view = viewOf(bytes)
  const at = Buffer.from(bytes).indexOf('data')
  const samples = view.getUint32(at + 4, true) / 2
  return ndarray(
    [samples, 1],
    Array.from({ length: samples }, (_, i) => view.getInt16(at + 8 + 2 * i, true) / 32768),
  )
}

/** A file of features, [T, 1, D]: a header of 12 bytes, then f32, all of it with the larger end first. */
export function htkFeatures(name: string): NDArray {
  const view = viewOf(htkFiles!.get(name)!)
  const [frames, features] = [view.getInt32(0), view.getInt16(8) / 4]
  return ndarray(
    [frames, 1, features],
    Array.from({ length: frames * features }, (_, i) => view.getFloat32(12 + 4 * i)),
  )
}
