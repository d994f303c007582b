// The pieces of programs in the documents, JavaScript blocks that stand on names of their surroundings: each compiles against the package's own
// types. Whole programs, TypeScript blocks, are run: readme.test.ts.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { compiledIn, packageFolder } from '../support/user-folder.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

const usual = `import { nn, ops, optim, read, train, type Tensor } from 'ostrich'
import * as models from 'ostrich/models'`
const session = 'declare const session: train.Session'
const samples = `declare const samples: Tensor<'f32', [number, number]>`
const counts = (name: string) => `declare const ${name}: Tensor<'i32', [number]>`
const moments = 'declare const moments: { mean: Float32Array, deviation: Float32Array }'

/** What stands around the pieces of a document. */
const surroundings: Readonly<Record<string, readonly string[]>> = {
  'data.md': ['declare const scores: Float32Array'],
  'lengths.md': [
    `import { sequences } from 'ostrich/data'`,
    'declare const source: Int32Array[], input: Int32Array[], target: Int32Array[]',
  ],
  'recurrence.md': [
    `declare const x: Tensor<'f32', [number, number, number]>, h: Tensor<'f32', [number, number]>, c: typeof h`,
    counts('lengths'),
  ],
  'speech.md': [
    `import { type Dataset } from 'ostrich/data'`,
    `type Sound = { dtype: 'f32', shape: [number], batchAxis: 1 }`,
    `type Lengths = { dtype: 'i32', shape: [] }`,
    samples,
    counts('lengths'),
    counts('sampleCounts'),
    moments,
    'declare const net: ReturnType<typeof models.speech>, set: Dataset<{ x: Sound, lengths: Lengths }>',
  ],
  'training.md': [
    session,
    'declare const images: Uint8Array',
    `declare const net: (x: Tensor) => Tensor, loss: (output: Tensor, target: Tensor) => Tensor`,
  ],
  'video.md': [
    `import { convLstmForecaster, shiConvLstm, smallConvLstm } from 'ostrich/models'`,
    'declare const model: train.Model, net: ReturnType<typeof convLstmForecaster>, seen: Uint8Array',
  ],
}

/** A module in which the piece is a function's body, so that it may declare what stands around it anew. */
function moduleOf(around: readonly string[], piece: string): string {
  const [imports, rest] = [true, false].map((wanted) => {
    return piece.split('\n').filter((line) => line.startsWith('import ') === wanted)
  })
  return [usual, ...around, ...imports!, 'export async function piece() {', ...rest!, '}', ''].join('\n')
}

test('every piece of a program in the documents compiles', { timeout: 120_000 }, async () => {
  const folder = await packageFolder()
  try {
    const files: string[] = []
    for (const document of (await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md'))) {
      const text = await readFile(join(root, 'docs', document), 'utf8')
      for (const [i, [, piece]] of [...text.matchAll(/^```js\n(.*?)^```$/gms)].entries()) {
        const file = `${document.replace('.md', '')}-${i}.ts`
        await writeFile(join(folder, file), moduleOf(surroundings[document] ?? [], piece!))
        files.push(file)
      }
    }
    expect(files.length).toBeGreaterThan(10)
    expect(await compiledIn(folder, files, ['--noImplicitAny', 'false'])).toBe('')
  } finally {
    await rm(folder, { recursive: true })
  }
})
