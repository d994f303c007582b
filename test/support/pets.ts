// What docs/fine-tuning.md begins with, made up: a folder of photographs of two classes, and a network as the recipe cifar10 leaves it.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { arrays, PhiloxStream } from '../../lib/data/index.js'
import { cifar10 } from '../../lib/recipes/index.js'
import { planSession } from '../../lib/recipes/recipe.js'

/** A JPEG or PNG file of noise with stripes that lie and are reddish (class 0), or stand and are bluish (class 1). */
async function picture(label: number, seed: number): Promise<Buffer> {
  const [width, height] = [48 + (seed % 3) * 8, 40]
  const noise = new PhiloxStream(seed, label, 0)
  const pixels = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
    const at = Math.floor(i / 3)
    const along = label === 0 ? Math.floor(at / width) : at % width
    const tint = i % 3 === 2 * label ? 60 : 0
    return (Math.floor(along / 5) % 2) * 95 + tint + noise.below(100)
  })
  const image = sharp(pixels, { raw: { width, height, channels: 3 } })
  return seed % 2 === 0 ? image.png().toBuffer() : image.jpeg({ quality: 95 }).toBuffer()
}

/** `<folder>/photos/{cat,dog}/*`, so many of each. */
export async function makePhotos(folder: string, each: number): Promise<void> {
  for (const [label, name] of ['cat', 'dog'].entries()) {
    await mkdir(join(folder, 'photos', name), { recursive: true })
    for (let i = 0; i < each; i++) {
      const path = join(folder, 'photos', name, `${i}.${i % 2 === 0 ? 'png' : 'jpg'}`)
      await writeFile(path, await picture(label, i))
    }
  }
}

/** `<folder>/runs/cifar10/last.safetensors`: a few steps of the recipe on ten kinds of noise. */
export async function makeTrained(folder: string): Promise<void> {
  const noise = new PhiloxStream(5, 0, 0)
  const target = Int32Array.from({ length: 256 }, (_, i) => i % 10)
  const x = Uint8Array.from({ length: 256 * 3072 }, (_, i) => {
    const [image, row] = [Math.floor(i / 3072), Math.floor((i % 1024) / 32)]
    return noise.below(150) + (Math.floor(row / 3) === image % 10 ? 100 : 0)
  })
  const train = arrays({ x: { data: x, shape: [3, 32, 32] }, target })
  const plan = cifar10.build({ epochs: 2, batch: 32 })
  const classes = 'airplane automobile bird cat deer dog frog horse ship truck'.split(' ')
  await using session = await planSession(plan, {
    data: { train, classes },
    config: { recipe: 'cifar10' },
    device: 'cpu',
  })
  await session.run()
  const run = join(folder, 'runs/cifar10')
  await mkdir(run, { recursive: true })
  await session.save(join(run, 'last.safetensors'))
}
