// ostrich lipschitz: how much each layer of a saved network can stretch a difference between two inputs.
import { lipschitzBounds } from '../experiments/index.js'
import { recipes } from '../recipes/index.js'
import { load } from '../infer/index.js'
import { inspectCheckpoint } from '../train/index.js'
import { command } from './command.js'
import { deviceOption } from './device-option.js'
import { recipeOf } from './eval.js'
import { checkpointOf } from './language-model.js'
import { alignedLines } from '../report/index.js'

/** Of the AlexNet of Szegedy et al. 2013, table 5: by the kind of a layer and its place among those. */
const published = { convolution: [2.75, 10, 7, 7.5, 11], 'fully connected': [3.12, 4, 4] } as const

export const lipschitz = command({
  name: 'lipschitz',
  summary: 'bound how far each layer can carry a change',
  arguments: ['<checkpoint|run>'],
  about: [
    'Prints, for each convolution and fully connected layer of a saved network, the largest factor by which it can stretch the',
    'difference between two inputs: fully connected layers by their largest singular value, convolutions by the Fourier formula of',
    '"Intriguing properties of neural networks" (Szegedy et al. 2013, section 4.3). Beside AlexNet’s layers stands the paper’s table.',
  ].join('\n'),
  options: {
    recipe: {
      type: 'text',
      value: 'name',
      help: 'for a file that does not say its recipe',
      choices: recipes.map(({ name }) => name),
    },
    device: deviceOption,
    json: { type: 'flag', help: 'print JSON' },
  },
  examples: ['ostrich lipschitz runs/2026-01-31T09-05-00-alexnet'],
  run: async ({ recipe: given, device, json }, [file = ''], output) => {
    const path = await checkpointOf(file)
    const info = await inspectCheckpoint(path)
    const recipe = recipeOf('lipschitz', given, info?.config, path)
    const { net, example } = recipe.build()
    await using model = await load(path, net, {
      input: example,
      precision: 'f32',
      ...(device !== undefined && { device: device as 'auto' }),
    })
    const bounds = lipschitzBounds(net, example.shape, await model.parameters())
    if (json === true) {
      output.line(JSON.stringify(bounds, undefined, 2))
      return 0
    }
    const isAlexnet = recipe.name.startsWith('alexnet')
    const places = { convolution: 0, 'fully connected': 0 }
    const rows = bounds.map(({ path: layer, kind, shape, bound }) => {
      const known = kind === 'max pooling' ? undefined : published[kind][places[kind]++]
      return [layer, `[${shape.join(', ')}]`, bound.toFixed(2), isAlexnet && known !== undefined ? String(known) : '']
    })
    const product = bounds.reduce((all, { bound }) => all * bound, 1)
    const head = ['layer', 'weights', 'bound', isAlexnet ? 'published' : '']
    for (const line of alignedLines([head, ...rows, ['product', '', product.toPrecision(4), '']], 2)) output.line(line)
    return 0
  },
})
