// The binary version of CIFAR-10: six files of records, each of one label and 3,072 bytes, three planes of 32 x 32.
import { DataError } from '../errors.js'

/** The ten classes; their places are the labels. */
export const cifar10Classes = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
] as const

export const TRAIN_FILES = [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`)
export const TEST_FILES = ['test_batch.bin']
/** Images in one file. */
export const PER_FILE = 10_000
export const SIDE = 32
export const PIXELS = 3 * SIDE * SIDE
export const RECORD = 1 + PIXELS

/** Refuses what is not a file of the binary version. */
export function checkRecords(records: Uint8Array, path: string): void {
  if (records.length !== PER_FILE * RECORD) {
    const expected = `${PER_FILE * RECORD} bytes, ${PER_FILE} images of ${RECORD}`
    throw new DataError(`${path}: expected ${expected}, got ${records.length}`)
  }
  for (let at = 0; at < records.length; at += RECORD) {
    if (records[at]! < cifar10Classes.length) continue
    throw new DataError(`${path}: expected labels in [0, 10), got ${String(records[at])} at image ${at / RECORD}`)
  }
}
