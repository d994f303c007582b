// A user's own tree of images, through the command line and then into training: 200 photographs with ten damaged files among
// them, killed in the middle, gone on with, trained from. Without the photographs, drawn ones take their place.
import { spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type BadImage, batches, packedImages } from '../../dist/data/index.js'
import { sha256Of } from '../../lib/data/cache.js'
import { readTar } from '../../lib/data/tar.js'
import * as nn from '../../lib/nn/index.js'
import * as optim from '../../lib/optim/index.js'
import { session } from '../../lib/train/index.js'
import { main, ostrich as command } from '../support/command-line.js'
import { damaged, photo } from '../support/images.js'
import { sharedData } from '../support/shared-data.js'
import { losses, options } from './tasks.js'

const archive = sharedData('imagenet-samples', 'imagenet-samples.tar.gz')
const classes = ['n1', 'n2', 'n3', 'n4']

// Processes of their own are started, beside other tests on the same cores.
vi.setConfig({ testTimeout: 120_000 })

let folder = ''
const ostrich = (...args: string[]) => command(folder, args)
let names: string[] = []
const at = (...path: string[]) => join(folder, ...path)

/** Every file of a folder, by name: a hash, or what is in it where it is JSON. */
async function contents(of: string): Promise<Record<string, string>> {
  const files = (await readdir(of, { recursive: true })).filter((name) => name.includes('.')).sort()
  const content = async (name: string): Promise<string> => {
    if (!name.endsWith('.json')) return sha256Of(await readFile(join(of, name)))
    // Which of its complaints on a damaged file libvips gives is chance: it has one place for those of all threads.
    return (await readFile(join(of, name), 'utf8')).replace(/("reason":\s*)"[^"]*"/g, '$1""')
  }
  return Object.fromEntries(await Promise.all(files.map(async (name) => [name, await content(name)] as const)))
}

async function photographs(): Promise<Uint8Array[]> {
  if (archive === undefined) return Promise.all(Array.from({ length: 200 }, (_, i) => photo(i, 300, 260)))
  return [...readTar(gunzipSync(await readFile(archive)), archive)].map(({ data }) => data)
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-imagenet-'))
  for (const [i, bytes] of (await photographs()).entries()) {
    const place = at('tree', i % 10 < 8 ? 'train' : 'val', classes[i % 4]!)
    await mkdir(place, { recursive: true })
    await writeFile(join(place, `${i}.JPEG`), bytes)
  }
  const bad = await damaged(at('bad'))
  names = bad.map((name, i) => `train/${classes[i % 4]!}/${name}`)
  for (const [i, name] of bad.entries()) await rename(at('bad', name), at('tree', names[i]!))
}, 60_000)
afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe('data pack', () => {
  const sizes = ['--size', '72', '--shard-size', '16', '--workers', '2']

  it('names exactly the ten damaged files, and packs all others', async () => {
    const { code, out, err } = await ostrich('data', 'pack', 'tree', 'whole', ...sizes)
    expect(err).toMatch(/packing.* 210\/210/)
    expect(code).toBe(0)
    expect(out).toContain('whole: 160 training and 40 validation images of 4 classes')
    expect(out).toContain('10 files left out')
    const bad = JSON.parse(await readFile(at('whole/bad.json'), 'utf8')) as BadImage[]
    expect(bad.map(({ name }) => name).sort()).toEqual([...names].sort())
    for (const name of names) expect(out).toContain(`  ${name}: `)
  })

  it('goes on after kill -9 of all its processes, to the same bytes', async () => {
    const child = spawn(process.execPath, [main, 'data', 'pack', 'tree', 'killed', ...sizes], {
      cwd: folder,
      detached: true,
      stdio: 'ignore',
    })
    const ended = new Promise((resolve) => child.on('close', resolve))
    const done = async () =>
      (await readdir(at('killed/train')).catch(() => [])).filter((name) => name.endsWith('.json'))
    while ((await done()).length < 3) await new Promise((resolve) => setTimeout(resolve, 5))
    // The whole process group: the command and what it started.
    process.kill(-child.pid!, 'SIGKILL')
    await ended
    const before = await done()
    expect(before.length).toBeLessThan(11)
    await expect(packedImages(at('killed'))).rejects.toThrow(/expected the index of a packed folder/)
    const { code } = await ostrich('data', 'pack', 'tree', 'killed', ...sizes)
    expect(code).toBe(0)
    expect(await contents(at('killed'))).toEqual(await contents(at('whole')))
  })

  it('says which shard was under way when a process that packs it is killed', async () => {
    const child = spawn(process.execPath, [main, 'data', 'pack', 'tree/val', 'alone', '--workers', '1'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let err = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
    const ended = new Promise((resolve) => child.on('close', resolve))
    const children = () => readFile(`/proc/${child.pid!}/task/${child.pid!}/children`, 'utf8')
    while ((await children()) === '') await new Promise((resolve) => setTimeout(resolve, 5))
    process.kill(Number((await children()).trim()), 'SIGKILL')
    expect(await ended).toBe(1)
    expect(err).toMatch(
      /alone\/train\/00000.shard: expected the packing process to finish it, got SIGKILL. Run the command/,
    )
  })

  it('stops at the first damaged file where it is told to', async () => {
    expect((await ostrich('data', 'pack', 'tree/val', 'good', '--on-bad', 'fail', '--size', '64')).code).toBe(0)
    const { code, err } = await ostrich('data', 'pack', 'tree', 'failed', '--on-bad', 'fail', ...sizes)
    expect(code).toBe(1)
    expect(err).toMatch(/ostrich: tree\/train\/n\d\/b\d-[\w.-]+: .*\(ERR_DATA\)/)
  })

  it('says what it expects', async () => {
    for (const [args, message] of [
      [['tree'], /expected <tree> and <out>/],
      [['none', 'out'], /none: expected a folder that can be read, got ENOENT/],
      [['tree', 'whole', '--size', '64'], /got size 72, not 64/],
      [['tree', 'out', '--format', 'png'], /--format expects u8, jpeg/],
    ] as const) {
      const { code, err } = await ostrich('data', 'pack', ...args)
      expect(code).toBeGreaterThan(0)
      expect(err).toMatch(message)
    }
  })
})

describe('packed images', () => {
  const augment = { crop: 64, mirror: true, colour: 0.1 }

  it('are the same with threads and without, in every epoch and from any step', async () => {
    const [alone, threads] = [
      await packedImages(at('whole'), { augment }),
      await packedImages(at('whole'), { augment, workers: 3 }),
    ]
    for (const [epoch, startStep] of [
      [0, 0],
      [1, 0],
      [1, 2],
    ] as const) {
      const how = { batch: 25, shuffle: true, augment: true, seed: 4, epoch, startStep }
      const [a, b] = [batches(alone.train, how), batches(threads.train, how)]
      for (;;) {
        const [one, other] = [await a.next(), await b.next()]
        if (one.done === true || other.done === true) break
        expect(one.value.count).toBe(other.value.count)
        for (const name of ['x', 'target'] as const) {
          expect(
            Buffer.compare(Buffer.from(one.value.feeds[name].buffer), Buffer.from(other.value.feeds[name].buffer)),
          ).toBe(0)
        }
      }
    }
    const out = { x: new Uint8Array(3), target: new Int32Array(1) }
    await expect(threads.train.gather([0], out)).rejects.toThrow(/gather\[x\]/)
    await expect(threads.train.gather([999], { ...out, x: new Uint8Array(3 * 64 * 64) })).rejects.toThrow(
      /\[0, 160\), got 999/,
    )
    await threads.close()
    await expect(threads.train.gather([0], { ...out, x: new Uint8Array(3 * 64 * 64) })).rejects.toThrow(/was closed/)
    await alone.close()
  })

  it('are compared with what was packed, by threads too, and by ostrich check', async () => {
    const packed = at('spoilt')
    await cp(at('whole'), packed, { recursive: true })
    const name = join(packed, 'train/00001.shard')
    const bytes = await readFile(name)
    bytes[bytes.length - 1]! ^= 1
    await writeFile(name, bytes)
    const data = await packedImages(packed, { check: 'reads', workers: 2 })
    const all = Uint32Array.from({ length: 160 }, (_, i) => i)
    const out = { x: new Uint8Array(160 * 3 * 72 * 72), target: new Int32Array(160) }
    await expect(data.train.gather(all, out)).rejects.toThrow(/00001\.shard: expected image \d+ as it was packed/)
    await data.train.gather(all.subarray(32), out)
    await data.close()
    const whole = await ostrich('check', 'whole')
    expect(whole.code).toBe(0)
    expect(whole.out).toMatch(/^whole: as it was packed: \d+ shards, 200 images, 4 MB\n$/)
    const spoilt = await ostrich('check', 'spoilt')
    expect([spoilt.code, spoilt.out]).toEqual([1, ''])
    expect(spoilt.err).toMatch(/spoilt\/train\/00001\.shard: expected what was packed, of sha256 .* \(ERR_DATA\)/)
  })

  it('train a small network, and a resumed run goes on with the same bits', async () => {
    const data = await packedImages(at('whole'), { augment, views: 10 })
    const net = () =>
      nn.sequential(
        nn.conv2d(3, 8, { kernel: 5, stride: 4 }),
        nn.relu(),
        nn.maxPool2d(2),
        nn.flatten(),
        nn.linear(8 * 7 * 7, classes.length),
      )
    const settings = { data, batch: 20, epochs: 2, optimizer: optim.sgd({ rate: 0.05, momentum: 0.9 }) }
    const whole = await losses(net(), settings)
    expect(whole).toHaveLength(16)
    // Training does vary them: without mirroring and colours other numbers come.
    const plainer = await packedImages(at('whole'), { augment: { crop: 64 } })
    expect(await losses(net(), { ...settings, data: plainer })).not.toEqual(whole)
    await plainer.close()
    const path = at('half.safetensors')
    {
      await using run = await session(net(), options(settings))
      for await (const event of run.events()) if (event.type === 'step' && event.step === 11) break
      await run.save(path)
    }
    await using run = await session(net(), options(settings))
    await run.resume(path)
    const at11 = run.step
    const rest: number[] = []
    for await (const event of run.events()) {
      if (event.type === 'step') rest.push(event.loss)
      if (event.type === 'end') expect(event.validation['accuracy']).toBeGreaterThanOrEqual(0)
    }
    expect(rest).toEqual(whole.slice(at11))
    await data.close()
  })
})
