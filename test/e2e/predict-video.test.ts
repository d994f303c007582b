// The recipe moving-mnist-small on few made-up digits: it learns, goes on to the bit where it was killed, and `ostrich predict-video` and `eval`
// use what it wrote.
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeGif, movingMnist, type MovingMnist, readVideo, type Video } from '../../lib/data/index.js'
import { framePredictor, load } from '../../lib/infer/index.js'
import { movingMnistSmall, planSession } from '../../lib/recipes/index.js'
import { inspectCheckpoint } from '../../lib/train/index.js'
import { type Ended, ostrich as command } from '../support/command-line.js'
import { writeHandwriting } from '../support/handwriting.js'
import { lossesOf } from './tasks.js'

const name = movingMnistSmall.name
let folder = ''
let data: MovingMnist
const losses: number[] = []
const at = (...parts: string[]): string => join(folder, ...parts)
const ostrich = (...args: string[]): Promise<Ended> => command(folder, args)
const predict = (...args: string[]): Promise<Ended> =>
  ostrich('predict-video', 'run', '--device', 'cpu', '--threads', '1', ...args)

/** A bright square that moves to the right, in frames of 40 x 32. */
function square(frames: number): Video {
  const [height, width] = [32, 40]
  const data = new Uint8Array(frames * height * width)
  for (let t = 0; t < frames; t++) {
    for (let y = 10; y < 18; y++) data.fill(255, (t * height + y) * width + t, (t * height + y) * width + t + 8)
  }
  return { data, frames, channels: 1, height, width }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-video-'))
  await mkdir(at('digits'))
  await writeHandwriting(at('digits'))
  data = await movingMnist({ dir: at('digits'), train: 12, validation: 2 })
  await using run = await planSession(movingMnistSmall.build({ batch: 2, epochs: 3, rate: 0.25 }), {
    data: { train: data.train, validation: data.validation! },
    ...{ seed: 1, device: 'cpu', precision: 'f32', folder: at('run'), config: { recipe: name } },
  })
  losses.push(...(await lossesOf(run.events())))
  await writeFile(at('square.gif'), await encodeGif(square(47)))
}, 600_000)
afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe('training', () => {
  it('lowers the cross-entropy from that of chance', () => {
    expect(losses).toHaveLength(18)
    expect(losses[0]).toBeGreaterThan(2000)
    expect(losses.at(-1)).toBeLessThan(0.9 * losses[0]!)
  })

  it.for(['f32', 'bf16'])('that was killed goes on to the bit in %s', { timeout: 600_000 }, async (precision) => {
    const [whole, cut] = [at(`whole-${precision}`), at(`cut-${precision}`)]
    const expected = await child([whole, at('digits')], precision)
    expect(expected).toMatch(/^\w+$/)
    expect(await child([cut, at('digits')], precision, 8)).toBeUndefined()
    const path = join(cut, 'last.safetensors')
    expect((await inspectCheckpoint(path))?.step).toBeGreaterThanOrEqual(5)
    expect(await child([cut, at('digits'), path], precision)).toBe(expected)
  })
})

/** Runs the child; kills it when it has said the step. Gives the hash it ended with, if it did. */
function child(args: readonly string[], precision: string, killAt?: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const script = fileURLToPath(new URL('children/video.mjs', import.meta.url))
    const running = spawn(process.execPath, [script, ...args], {
      env: { ...process.env, PRECISION: precision },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    running.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part
      if (killAt !== undefined && text.includes(`step ${killAt}\n`)) running.kill('SIGKILL')
    })
    running.on('error', reject)
    running.on('close', () => {
      resolve(/hash (\w+)/.exec(text)?.[1])
    })
  })
}

describe('framePredictor', () => {
  it('predicts each sequence as it is alone, and refuses others', async () => {
    const { net, forecaster, example } = movingMnistSmall.build()
    expect(forecaster).toBeDefined()
    await using model = await load(at('run', 'last.safetensors'), net, { input: example, device: 'cpu' })
    const seen = new Uint8Array(10 * 4096)
    await data.test.gather([3], { x: seen, target: new Uint8Array(10 * 4096) })
    const bright = new Uint8Array(10 * 4096).fill(200)
    using several = framePredictor(model, net, { given: 10, frame: [1, 64, 64], batch: 2 })
    using alone = framePredictor(model, net, { given: 10, frame: [1, 64, 64], batch: 1 })
    const [one, two, three] = await several.predict([seen, bright, seen])
    const [own] = await alone.predict([seen])
    expect(one).toHaveLength(10 * 4096)
    expect([...three!]).toEqual([...one!])
    expect([...two!]).not.toEqual([...one!])
    for (let i = 0; i < own!.length; i += 97) expect(one![i]).toBeCloseTo(own![i]!, 4)
    expect(Math.min(...own!)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...own!)).toBeLessThanOrEqual(1)
    await expect(alone.predict([seen.subarray(1)])).rejects.toThrow(
      'predict: expected 10 frames of 1 x 64 x 64, 40960 bytes, got 40959 as sequence 0',
    )
    alone.dispose()
    await expect(alone.predict([seen])).rejects.toThrow('got one that was disposed')
  })
})

describe('predict-video', () => {
  it(
    'writes an animated GIF of what was seen, what followed and what was predicted',
    { timeout: 300_000 },
    async () => {
      const { code, out, err } = await predict('--from', 'square.gif', '--out', 'out.gif')
      expect(code, err).toBe(0)
      expect(out).toMatch(/^out\.gif: sequence 0 of 2, [\d.]+ nats per frame$/m)
      const film = await readVideo(at('out.gif'))
      expect(film).toMatchObject({ frames: 20, height: 192, width: 3 * (3 * 64 + 4) })
      // The first frame of the GIF, scaled to what the network knows, stands on the left, three pixels for one.
      const [first] = [await readVideo(at('square.gif'), { size: 64 })]
      for (const [y, x] of [
        [30, 5],
        [5, 5],
        [25, 60],
      ] as const) {
        expect(Math.abs(film.data[3 * y * film.width + 3 * x]! - first.data[y * 64 + x]!)).toBeLessThan(24)
      }
    },
  )

  it('shows sequences on a page, and tells errors as JSON', { timeout: 300_000 }, async () => {
    const { code, out, err } = await predict('--from', 'square.gif', '--page', 'page.html', '--json')
    expect(code, err).toBe(0)
    const rows = JSON.parse(out) as { sequence: number; crossEntropy: number[] }[]
    expect(rows.map(({ sequence, crossEntropy }) => [sequence, crossEntropy.length])).toEqual([
      [0, 10],
      [1, 10],
    ])
    const page = await readFile(at('page.html'), 'utf8')
    expect(page.match(/<img src="data:image\/gif;base64,R0lGOD/g)).toHaveLength(2)
    expect(page).toMatch(/sequence 1: [\d.]+ nats per frame/)
  })

  it('refuses what it cannot predict', { timeout: 300_000 }, async () => {
    const said = async (...args: string[]): Promise<string> => {
      const { code, err } = await predict(...args)
      expect(code).not.toBe(0)
      return err
    }
    expect(await said()).toContain('predict-video expects --from, the frames, got none')
    expect(await said('--from', 'square.gif', '--sequence', '2')).toContain('--sequence expects 0 to 1')
    await writeFile(at('short.gif'), await encodeGif(square(12)))
    expect(await said('--from', 'short.gif')).toContain('expected a video of 20 frames or more, got at most 12')
    await writeFile(at('still.gif'), await encodeGif(square(1)))
    expect(await said('--from', 'still.gif')).toContain('expected two frames or more, got 1')
    await writeFile(at('none.gif'), 'this is no GIF')
    expect(await said('--from', 'none.gif')).toContain('none.gif: expected a whole image')
    expect((await ostrich('predict-video', 'nowhere', '--from', 'square.gif')).code).not.toBe(0)
  })
})
