// A user's own videos: folders of frames and GIFs, and what is none.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readVideo, videoWindows } from '../../../lib/data/index.js'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-test-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

/** A frame of one colour. */
const frame = (red: number, width = 6, height = 4): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background: { r: red, g: 255 - red, b: 40 } } })
    .png()
    .toBuffer()

async function framesIn(name: string, reds: readonly number[]): Promise<string> {
  const path = join(folder, name)
  await mkdir(path)
  for (const [i, red] of reds.entries()) await writeFile(join(path, `${i + 1}.png`), await frame(red))
  return path
}

async function gif(reds: readonly number[]): Promise<string> {
  const path = join(folder, 'video.gif')
  const frames = await Promise.all(reds.map((red) => frame(red)))
  await writeFile(
    path,
    await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer(),
  )
  return path
}

/** The first value of each plane of each frame. */
const firsts = (data: Uint8Array, plane: number): number[] =>
  Array.from({ length: data.length / plane }, (_, i) => data[i * plane]!)

describe('readVideo', () => {
  it('reads the frames of a folder by their numbers, in colour or grey', async () => {
    const reds = Array.from({ length: 12 }, (_, i) => 10 * i)
    const path = await framesIn('frames', reds)
    await writeFile(join(path, 'notes.txt'), 'no frame')
    const { data, ...rest } = await readVideo(path, { channels: 3 })
    expect(rest).toEqual({ frames: 12, channels: 3, height: 4, width: 6 })
    expect(firsts(data, 24)).toEqual(reds.flatMap((red) => [red, 255 - red, 40]))
    const grey = await readVideo(path)
    expect([grey.channels, grey.data.length]).toEqual([1, 12 * 24])
    // Grey follows the light of the colours: green weighs most.
    const levels = firsts(grey.data, 24)
    expect(levels).toEqual([...levels].sort((a, b) => b - a))
    expect(levels[0]! - levels[11]!).toBeGreaterThan(20)
  })

  it('reads the pages of a GIF, scaled', async () => {
    const reds = [0, 128, 255]
    const path = await gif(reds)
    const whole = await readVideo(path, { channels: 3 })
    expect([whole.frames, whole.height, whole.width]).toEqual([3, 4, 6])
    for (const [i, level] of firsts(whole.data, 24).entries()) {
      expect(Math.abs(level - [reds[Math.floor(i / 3)]!, 255 - reds[Math.floor(i / 3)]!, 40][i % 3]!)).toBeLessThan(12)
    }
    const small = await readVideo(path, { size: [2, 3] })
    expect([small.frames, small.height, small.width, small.data.length]).toEqual([3, 2, 3, 18])
    expect((await readVideo(path, { size: 8 })).data.length).toBe(3 * 64)
  })

  it('takes frames of different sizes where they are scaled', async () => {
    const path = await framesIn('frames', [10, 20])
    await writeFile(join(path, '3.png'), await frame(30, 7, 4))
    await expect(readVideo(path)).rejects.toThrow(
      /3\.png: expected frames of 6 x 4, as 1\.png, got 7 x 4 \(size makes them alike\)/,
    )
    expect((await readVideo(path, { size: 5 })).frames).toBe(3)
  })

  it('refuses what is no video', async () => {
    const one = await framesIn('one', [10])
    await expect(readVideo(one)).rejects.toThrow(/one: expected two frames or more, got 1/)
    await expect(readVideo(join(one, '1.png'))).rejects.toThrow(/1\.png: expected two frames or more, got 1/)
    await mkdir(join(folder, 'empty'))
    await expect(readVideo(join(folder, 'empty'))).rejects.toThrow(/expected two frames or more, got 0/)
    await expect(readVideo(join(folder, 'no.gif'))).rejects.toThrow(
      /no\.gif: expected a folder of frames or a GIF, got ENOENT/,
    )
    const path = join(folder, 'none.gif')
    await writeFile(path, 'GIF89a, it says')
    await expect(readVideo(path)).rejects.toThrow(/none\.gif: expected a whole image, got/)
    await writeFile(path, '')
    await expect(readVideo(path)).rejects.toThrow(/expected an image, got an empty file/)
    // @ts-expect-error two channels
    await expect(readVideo(one, { channels: 2 })).rejects.toThrow(/readVideo\[channels\]/)
  })
})

describe('videoWindows', () => {
  const video = (frames: number, first: number) => ({
    data: Uint8Array.from({ length: 2 * frames }, (_, i) => first + Math.floor(i / 2)),
    frames,
    ...({ channels: 1, height: 1, width: 2 } as const),
  })

  it('are all runs of frames, time first', async () => {
    const set = videoWindows([video(5, 0), video(2, 50), video(4, 100)], { given: 2, future: 1 })
    expect(set.length).toBe(5)
    expect(set.fields.x).toEqual({ dtype: 'u8', shape: [2, 1, 1, 2], batchAxis: 1 })
    const out = { x: new Uint8Array(8), target: new Uint8Array(4) }
    await set.gather([4, 1], out)
    expect([...out.x]).toEqual([101, 101, 1, 1, 102, 102, 2, 2])
    expect([...out.target]).toEqual([103, 103, 3, 3])
    const apart = videoWindows([video(9, 0)], { given: 2, future: 1, every: 3 })
    expect(apart.length).toBe(3)
    await apart.gather([2], { x: out.x.subarray(0, 4), target: out.target.subarray(0, 2) })
    expect([...out.x.subarray(0, 4), ...out.target.subarray(0, 2)]).toEqual([6, 6, 7, 7, 8, 8])
  })

  it('refuse videos that do not fit', () => {
    const how = { given: 2, future: 2 }
    expect(() => videoWindows([], how)).toThrow(/expected videos, got none/)
    expect(() => videoWindows([video(3, 0)], how)).toThrow(/expected a video of 4 frames or more, got at most 3/)
    expect(() => videoWindows([video(5, 0), { ...video(5, 0), width: 1, height: 2 }], how)).toThrow(
      /expected videos of one size, \[1, 1, 2\], got \[1, 2, 1\]/,
    )
    expect(() => videoWindows([video(5, 0)], { given: 0, future: 1 })).toThrow(/videoWindows\[given\]/)
  })
})
