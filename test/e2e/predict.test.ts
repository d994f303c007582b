// ostrich predict: classes of photographs by a saved network, and what is no photograph or no such network.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { writeSafetensors } from '../../lib/files/index.js'
import { makePhotos, makeTrained } from '../support/pets.js'
import { ostrich as command } from '../support/command-line.js'

let folder = ''
let run = ''
const ostrich = (...args: string[]) => command(folder, args)
const photo = (name: string) => join(folder, 'photos', name)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-predict-'))
  run = join(folder, 'runs/cifar10')
  await makePhotos(folder, 2)
  await makeTrained(folder)
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

interface Told {
  readonly photo: string
  readonly classes: readonly { readonly name: string; readonly share: number }[]
}

it('tells the five likeliest classes of each, with shares and bars', async () => {
  const photos = [photo('cat/0.png'), photo('dog/1.jpg')]
  const { code, out } = await ostrich('predict', run, ...photos, '--device', 'cpu')
  expect(code).toBe(0)
  const lines = out.trimEnd().split('\n')
  expect(lines).toHaveLength(12)
  expect([lines[0], lines[6]]).toEqual(photos)
  const rows = lines.slice(1, 6).map((line) => /^ {2}(\w+) +(\d+\.\d+) % {2}(█*[▏▎▍▌▋▊▉]?)$/.exec(line)!)
  const shares = rows.map(([, , share]) => Number(share))
  expect(shares).toEqual([...shares].sort((a, b) => b - a))
  // 30 characters are the whole; a bar is of an eighth of a character.
  for (const [, , share, bar = ''] of rows) expect(Math.abs(bar.length - 0.3 * Number(share))).toBeLessThanOrEqual(1)
})

it('prints JSON with shares that add up to 1, the same for one photograph as among several', async () => {
  const { out } = await ostrich('predict', run, photo('cat/0.png'), photo('dog/0.png'), '--top', '10', '--json')
  const told = JSON.parse(out) as Told[]
  expect(told.map(({ photo: path, classes }) => [path, classes.length])).toEqual([
    [photo('cat/0.png'), 10],
    [photo('dog/0.png'), 10],
  ])
  for (const { classes } of told) {
    expect(classes.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 5)
    expect(classes.map(({ name }) => name)).toContain('frog')
  }
  const alone = JSON.parse((await ostrich('predict', run, photo('dog/0.png'), '--json')).out) as Told[]
  expect(alone[0]!.classes.map(({ name }) => name)).toEqual(told[1]!.classes.slice(0, 5).map(({ name }) => name))
})

it('sees the same in a photograph of twice the size', async () => {
  const large = join(folder, 'large.png')
  const small = join(folder, 'small.png')
  const flat = (side: number) =>
    sharp({ create: { width: 2 * side, height: side, channels: 3, background: { r: 200, g: 40, b: 90 } } }).png()
  await flat(32).toFile(small)
  await flat(320).toFile(large)
  const { out } = await ostrich('predict', run, small, large, '--json')
  const [one, other] = JSON.parse(out) as [Told, Told]
  expect(other.classes.map(({ name }) => name)).toEqual(one.classes.map(({ name }) => name))
  for (const [i, { share }] of other.classes.entries()) expect(share).toBeCloseTo(one.classes[i]!.share, 3)
})

it.each([
  [['no.jpg'], 1, /no\.jpg: expected a file that can be read, got ENOENT/],
  [['text.jpg'], 1, /text\.jpg: expected a whole image, got/],
  [[], 2, /predict: expected <checkpoint\|run> <photo> \.\.\., got nothing/],
  [['cat.png', '--top', '0'], 2, /--top expects at least 1, got 0/],
] as const)('refuses %j', async (args, expected, message) => {
  await writeFile(join(folder, 'text.jpg'), 'no image at all')
  const { code, err } = await ostrich(
    'predict',
    run,
    ...args.map((arg) => (/jpg|png/.test(arg) ? join(folder, arg) : arg)),
  )
  expect([code, message.test(err), err]).toEqual([expected, true, err])
})

it('refuses a file that does not say its recipe, and a network of anything but images', async () => {
  const other = join(folder, 'other.safetensors')
  await writeSafetensors(other, { w: { dtype: 'F32', shape: [1], data: new Float32Array(1) } })
  const unknown = await ostrich('predict', other, photo('cat/0.png'))
  expect([unknown.code, unknown.err]).toEqual([
    2,
    expect.stringMatching(/expected --recipe, as .* does not say it, got none/),
  ])
  const words = await ostrich('predict', other, photo('cat/0.png'), '--recipe', 'ptb-small')
  expect(words.code).toBe(2)
  expect(words.err).toMatch(/predict: expected a network of square images, got ptb-small, of i32/)
})
