// House numbers for tests: those of shared/data/svhn, and files of their formats that are written here.
import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import type { NumberImage } from '../../lib/data/numbers/digit-struct.js'
import { readTar } from '../../lib/data/tar.js'

/** The lines of a list of shared/data/svhn: name, width, height, digits, boxes. */
export function imagesOf(tsv: string): NumberImage[] {
  return tsv
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [filename = '', , , digits = '', boxes = ''] = line.split('\t')
      const parts = boxes.split(';').map((box) => box.split(',').map(Number))
      return {
        filename,
        boxes: parts.map(([left = NaN, top = NaN, width = NaN, height = NaN], i) => {
          return { label: Number(digits[i]), left, top, width, height }
        }),
      }
    })
}

/** The files of an archive of shared/data, by their names in it. */
export async function filesOf(path: string): Promise<ReadonlyMap<string, Uint8Array>> {
  return new Map([...readTar(gunzipSync(await readFile(path)), path)].map(({ name, data }) => [name, data]))
}

interface Hdf5Node {
  create_group(name: string): Hdf5Node
  create_dataset(args: { name: string; data: unknown; shape?: number[]; dtype?: string }): Hdf5Node
  create_reference(): unknown
}

/** Writes a file of HDF5. */
export async function writeHdf5(path: string, fill: (file: Hdf5Node) => void): Promise<void> {
  const name = 'h5wasm/node'
  const { default: h5 } = (await import(name)) as {
    default: { ready: Promise<unknown>; File: new (path: string, mode: 'w') => Hdf5Node & { close(): void } }
  }
  await h5.ready
  const file = new h5.File(path, 'w')
  fill(file)
  file.close()
}

/** Writes a digitStruct.mat as MATLAB lays it out, but for its header of 512 bytes. */
export async function writeDigitStructMat(path: string, images: readonly NumberImage[]): Promise<void> {
  await writeHdf5(path, (file) => {
    fillDigitStruct(file, images)
  })
}

function fillDigitStruct(file: Hdf5Node, images: readonly NumberImage[]): void {
  const refs = file.create_group('#refs#')
  let next = 0
  const numbers = (values: readonly number[], dtype: string): unknown =>
    refs.create_dataset({ name: `a${next++}`, data: values, shape: [values.length, 1], dtype }).create_reference()
  const [names, boxes]: [unknown[], unknown[]] = [[], []]
  for (const image of images) {
    names.push(
      numbers(
        Array.from(image.filename, (letter) => letter.charCodeAt(0)),
        '<H',
      ),
    )
    const group = refs.create_group(`g${next++}`)
    for (const field of ['height', 'label', 'left', 'top', 'width'] as const) {
      const values = image.boxes.map((box) => (field === 'label' && box.label === 0 ? 10 : box[field]))
      if (values.length === 1) group.create_dataset({ name: field, data: values, shape: [1, 1], dtype: '<d' })
      else
        group.create_dataset({
          name: field,
          data: values.map((value) => numbers([value], '<d')),
          shape: [values.length, 1],
        })
    }
    boxes.push(group.create_reference())
  }
  const list = file.create_group('digitStruct')
  list.create_dataset({ name: 'bbox', data: boxes, shape: [boxes.length, 1] })
  list.create_dataset({ name: 'name', data: names, shape: [names.length, 1] })
}
