// `ostrich read` of a network that reads numbers, barely trained: what is printed, and what is refused.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { numberStrips } from '../../lib/data/index.js'
import { houseNumbersStrips } from '../../lib/recipes/index.js'
import { planSession } from '../../lib/recipes/recipe.js'
import { png } from '../../lib/report/png.js'
import { type Ended, ostrich as command } from '../support/command-line.js'
import { writeHandwriting } from '../support/handwriting.js'

const SIDE = 54
const place = ['--device', 'cpu', '--precision', 'f32', '--threads', '1']
let folder = ''
const read = (...args: string[]): Promise<Ended> => command(folder, ['read', ...args, ...place])
const number = '(?:[0-9]{1,5}|no digits|more than 5 digits)'

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-read-'))
  await writeHandwriting(folder)
  const { train, validation, test } = await numberStrips({ dir: folder, train: 16, validation: 8 })
  await using run = await planSession(houseNumbersStrips.build({ batch: 8, epochs: 1, examples: 16 }), {
    ...{ data: { train, validation: validation! }, device: 'cpu', threads: 1, precision: 'f32' },
    config: { recipe: 'house-numbers-strips', data: [folder] },
  })
  await run.run()
  await run.save(join(folder, 'last.safetensors'))
  const x = new Uint8Array(3 * 3 * SIDE * SIDE)
  await test.gather([0, 1, 2], { x } as never)
  for (let i = 0; i < 3; i++) {
    const data = x.subarray(i * 3 * SIDE * SIDE, (i + 1) * 3 * SIDE * SIDE)
    await writeFile(join(folder, `${i}.png`), png({ data, channels: 3, height: SIDE, width: SIDE }))
  }
  const boxes = [{ label: 1, left: 10, top: 10, width: 20, height: 30 }]
  const six = Array.from({ length: 6 }, (_, i) => ({ label: 10, left: 5 * i, top: 10, width: 5, height: 30 }))
  const outside = [{ label: 1, left: 60, top: 10, width: 20, height: 30 }]
  const list = [
    { filename: '0.png', boxes },
    { filename: '1.png', boxes: six },
    { filename: '2.png', boxes: outside },
  ]
  await writeFile(join(folder, 'digitStruct.json'), JSON.stringify(list))
  await writeFile(join(folder, 'cut.png'), (await readFile(join(folder, '0.png'))).subarray(0, 900))
  await writeFile(join(folder, 'empty.png'), '')
}, 300_000)
afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe('read', { timeout: 120_000 }, () => {
  it('prints the number, how sure it is, and the next, of one image and of several', async () => {
    const one = await read('last.safetensors', '1.png')
    expect(one.code, one.err).toBe(0)
    expect(one.out).toMatch(new RegExp(`^${number}\\t[\\d.]+ %\\t${number} \\([\\d.]+ %\\)\\n$`))
    const three = await read('last.safetensors', '0.png', '1.png', '2.png')
    const lines = three.out.trimEnd().split('\n')
    expect(lines.map((line) => line.split('\t')[0])).toEqual(['0.png', '1.png', '2.png'])
    expect(lines[1]).toBe(`1.png\t${one.out.trimEnd()}`)
    expect(three.err).not.toContain('accuracy')
  })

  it('gives JSON, with the truth of a list, and a page', async () => {
    const { code, out, err } = await read(
      ...['last.safetensors', '0.png', '1.png', '--labels', 'digitStruct.json', '--json', '--page', 'page.html'],
    )
    expect(code, err).toBe(0)
    const [first, second] = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(first).toMatchObject({ file: '0.png', truth: '1' })
    expect(second).toMatchObject({ file: '1.png', truth: null })
    for (const one of [first!, second!]) {
      expect(one['right']).toBe(one['number'] === one['truth'])
      expect(one['confidence']).toBeGreaterThan((one['runnerUp'] as { confidence: number }).confidence)
    }
    expect(err).toMatch(
      /^whole-number accuracy [\d.]+ %, [012] of 2; coverage at 98 % [\d.]+ %, of a confidence of [\d.]+ or more$/m,
    )
    const page = await readFile(join(folder, 'page.html'), 'utf8')
    expect(page).toMatch(/<h2>(Wrong|Right): [12]<\/h2>/)
    expect(page.match(/<figure>/g)).toHaveLength(2)
  })

  it('reads test images of the recipe, which are known', async () => {
    const { code, out, err } = await read('last.safetensors', '--test', '6', '--json', '--page', 'page.svg')
    expect(code, err).toBe(0)
    const all = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { file: string; truth: string })
    expect(all.map(({ file }) => file)).toEqual([1, 2, 3, 4, 5, 6].map((i) => `test ${i}`))
    expect(all.map(({ truth }) => truth.length)).toEqual([1, 2, 3, 4, 5, 1])
    expect(err).toMatch(/^whole-number accuracy [\d.]+ %, \d of 6; /m)
    const picture = await readFile(join(folder, 'page.svg'), 'utf8')
    expect(picture.match(/<image /g)).toHaveLength(6)
  })

  it('names files that cannot be read, and reads the others', async () => {
    const { code, out, err } = await read('last.safetensors', 'cut.png', '1.png', 'empty.png', 'absent.png')
    expect(code).toBe(1)
    expect(out).toMatch(/^1\.png\t/)
    expect(err).toContain('cut.png: expected a whole image, got one that was cut short')
    expect(err).toContain('empty.png: expected an image, got an empty file')
    expect(err).toContain('absent.png: expected a file that can be read, got ENOENT')
    const listed = await read('last.safetensors', '2.png', '9.png', '--labels', 'digitStruct.json')
    expect([listed.code, listed.out]).toEqual([1, ''])
    expect(listed.err).toContain('2.png: expected a box in the image of 54 x 54, got left 60')
    expect(listed.err).toContain('9.png: expected it in digitStruct.json, got no such name there')
  })

  it('takes a box, and refuses what is none', async () => {
    const whole = await read('last.safetensors', '0.png', '--json')
    const part = await read('last.safetensors', '0.png', '--box', '10,10,20,30', '--json')
    expect(part.code, part.err).toBe(0)
    expect(part.out).not.toBe(whole.out)
    for (const [args, message] of [
      [['0.png', '--box', '1,2,3'], '--box expects left,top,width,height in pixels, got 1,2,3'],
      [['0.png', '--box', '1,2,0,3'], '--box expects left,top,width,height in pixels, got 1,2,0,3'],
      [['0.png', '1.png', '--box', '1,2,3,4'], '--box expects one image, got 2 images'],
      [[], 'read expects images or --test, got neither'],
      [['0.png', '--test', '3'], 'read expects images or --test, got both'],
    ] as const) {
      const { code, err } = await read('last.safetensors', ...args)
      expect(code).toBe(2)
      expect(err).toContain(message)
    }
  })
})

describe('predict', { timeout: 60_000 }, () => {
  it('sends a network that reads numbers to read', async () => {
    const { code, err } = await command(folder, ['predict', 'last.safetensors', '0.png', '--device', 'cpu'])
    expect([code, err]).toEqual([2, expect.stringContaining('got house-numbers-strips. See: ostrich read --help')])
  })
})
