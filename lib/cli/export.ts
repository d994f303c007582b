// ostrich export: a saved network as a file that other runtimes read.
import { stat } from 'node:fs/promises'
import { type FieldSpec, Vocabulary } from '../data/index.js'
import { load, type OnnxOptions } from '../infer/index.js'
import { type Plan, recipes } from '../recipes/index.js'
import { inspectCheckpoint } from '../train/index.js'
import { command, UsageError } from './command.js'
import { recipeOf } from './eval.js'
import { checkpointOf, loadOptionsOf } from './language-model.js'

export const exportCommand = command({
  name: 'export',
  summary: 'write a saved network as an ONNX file',
  arguments: ['<checkpoint|run>'],
  about: [
    'Writes the network of a checkpoint with its weights as an ONNX file (operators of opset 17, f32), which ONNX Runtime and others run.',
    'It takes what the network was trained on, bytes of images say, in batches of any size. What a language model carries from one',
    'window to the next is an input, and beside it an output with `/next` at its end.',
  ].join('\n'),
  options: {
    onnx: { type: 'text', value: 'file', help: 'the file to write' },
    batch: { type: 'whole', help: 'examples that the file takes at once (default: any number)' },
    steps: { type: 'whole', help: 'of a language model: tokens that the file takes at once (default: as in training)' },
    recipe: {
      type: 'text',
      value: 'name',
      help: 'for a file that does not say its recipe',
      choices: recipes.map(({ name }) => name),
    },
    json: { type: 'flag', help: 'print JSON' },
  },
  examples: [
    'ostrich export runs/2026-01-31T09-05-00-mnist --onnx mnist.onnx',
    'ostrich export runs/2026-01-31T09-05-00-ptb-small --onnx ptb.onnx --steps 1 --batch 1',
  ],
  run: async ({ onnx, batch, steps, recipe: given, json }, [file = ''], output) => {
    if (onnx === undefined) throw new UsageError('export: expected --onnx with the file to write, got none')
    for (const [name, value] of Object.entries({ batch, steps })) {
      if (value === 0) throw new UsageError(`--${name} expects at least 1, got 0`)
    }
    const path = await checkpointOf(file)
    const info = await inspectCheckpoint(path)
    const recipe = recipeOf('export', given, info?.config, path)
    const { vocabulary } = info ?? {}
    const size = vocabulary && new Vocabulary(vocabulary).size
    const plan = recipe.build(size === undefined ? {} : { text: { tokens: Number.MAX_SAFE_INTEGER, vocabulary: size } })
    expectSingle(recipe.name, plan)
    if (steps !== undefined && vocabulary === undefined) {
      throw new UsageError(`--steps is of language models, and ${recipe.name} is none`)
    }
    const field = info?.fields['x'] ?? plan.example
    await using model = await load(path, plan.net, {
      ...loadOptionsOf(field, { device: 'cpu' }),
      ...(plan.inputs !== undefined && { inputs: plan.inputs }),
    })
    await model.exportOnnx(onnx, {
      ...(batch !== undefined && { batch }),
      ...(vocabulary !== undefined && { inputs: windows(field, steps) }),
    })
    const { size: bytes } = await stat(onnx)
    if (json === true) output.line(JSON.stringify({ file: onnx, bytes, recipe: recipe.name }))
    else output.line(`${onnx}: ${recipe.name}, ${(bytes / 2 ** 20).toFixed(1)} MiB`)
    return 0
  },
})

/** Windows of a text, of this many tokens. */
function windows({ shape: [trained = 1] }: FieldSpec, steps = trained): NonNullable<OnnxOptions['inputs']> {
  return (batch) => ({ x: { dtype: 'i32', shape: [steps, batch] } })
}

/** @throws UsageError for a network of more than one input, or of sequences of many lengths */
function expectSingle(recipe: string, { translator, recogniser, forecaster, fields }: Plan): void {
  const several = fields !== undefined && Object.values(fields).some(({ varies }) => varies === true)
  if (translator === undefined && recogniser === undefined && forecaster === undefined && !several) return
  throw new UsageError(
    `export: expected a network of one input x, got ${recipe}: model.exportOnnx takes a function of several, and their extents`,
  )
}
