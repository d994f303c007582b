// The phases: each gives { passed, failed, skipped, reason?, figures? }.
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { capture, device, lastJson, node, python, tree } from './facts.mjs'

const precisions = ['f32', 'tf32', 'bf16']
const trainedIn = precisions.filter((precision) => precision !== 'f32')
const cli = 'dist/cli/main.js'
const parityFile = 'test/gpu/parity.js'
const seconds = (count) => count * 1000
const noBf16 = 'no bf16 below compute capability 8.0'
const reasonOf = (error) => (error instanceof Error ? error.message : String(error))

/** One check for each item: `check` gives its figures or throws; `failed: true` in them is a failure too. */
const each = (items, check) => {
  const figures = items.map((item) => {
    try {
      return { item, ...check(item) }
    } catch (error) {
      return { item, failed: true, reason: reasonOf(error) }
    }
  })
  const failed = figures.filter((figure) => figure.failed === true)
  const skipped = figures.filter((figure) => figure.skipped === true).length
  return {
    passed: items.length - failed.length - skipped,
    failed: failed.length,
    skipped,
    ...(failed.length > 0 && { reason: failed.map(({ item, reason }) => `${item}: ${reason}`).join('; ') }),
    figures,
  }
}

/** Says, where nothing failed, what a device without bf16 left out. */
const saidOf = (result, { hasBf16 }) => (hasBf16 ? result : { ...result, reason: result.reason ?? noBf16 })

export const doctor = ({ gpus }) => {
  const ended = node(cli, ['doctor', '--json'])
  const said = JSON.parse(ended.stdout || 'null')
  const failed = ended.status !== 0
  const reason = failed ? `ostrich doctor ${ended.why}: ${said?.selfTest.message ?? ended.stderr.trim()}` : undefined
  return { passed: failed ? 0 : 1, failed: failed ? 1 : 0, skipped: 0, reason, figures: { gpus, doctor: said } }
}

export const properties = ({ hasTorch }) => {
  if (!hasTorch) return { passed: 0, failed: 0, skipped: 1, reason: 'no PyTorch' }
  const figures = lastJson(python('test/gpu/properties.py', []))
  return { passed: 1, failed: 0, skipped: 0, figures }
}

export const parity = (found) => {
  const figures = precisions.map((item) => {
    if (item === 'bf16' && !found.hasBf16)
      return { item, passed: 0, failed: 0, skipped: 1, failures: [], reason: noBf16 }
    const ended = node(parityFile, [device, item])
    try {
      return { item, ...lastJson(ended) }
    } catch (error) {
      return { item, passed: 0, failed: 1, skipped: 0, failures: [reasonOf(error)] }
    }
  })
  const sum = (key) => figures.reduce((total, figure) => total + figure[key], 0)
  const reason = figures.flatMap(({ item, failures }) => failures.map((text) => `${item}: ${text}`))[0]
  return saidOf({ passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped'), reason, figures }, found)
}

const isProgram = (file) => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const findSanitizer = () => {
  const homes = [process.env.CUDA_HOME, process.env.CUDA_PATH, '/usr/local/cuda'].filter(Boolean)
  const folders = [...(process.env.PATH ?? '').split(':'), ...homes.map((home) => join(home, 'bin'))]
  return folders.map((folder) => join(folder, 'compute-sanitizer')).find(isProgram)
}

/** One sample of each op; a report of the tool is a failure, even where the numbers agree. */
export const sanitizer = () => {
  const program = findSanitizer()
  const tools = ['memcheck', 'racecheck']
  if (program === undefined) return { passed: 0, failed: 0, skipped: tools.length, reason: 'no compute-sanitizer' }
  return each(tools, (tool) => {
    const options = ['--tool', tool, '--target-processes', 'all', '--error-exitcode', '86']
    const checked = [process.execPath, join(tree, parityFile), device, 'f32', 'first']
    const { status, stdout, why } = capture(program, [...options, ...checked], { timeout: seconds(250) })
    const said = stdout.trim().split('\n').slice(-30).join('\n')
    return { failed: status !== 0, reason: status === 0 ? undefined : `${why}: ${said}`, said }
  })
}

const wanted = 0.99

const trained = (precision, folder) => {
  const options = ['--device', device, '--precision', precision, '--folder', folder, '--quiet']
  const run = node(cli, ['train', 'mnist', ...options])
  if (run.status !== 0) throw new Error(`training ${run.why}: ${run.stderr.trim()}`)
  const args = ['eval', join(folder, 'last.safetensors'), '--device', device, '--json']
  const { accuracy, loss } = lastJson(node(cli, args))
  const said = run.stdout.split('\n')[0]
  const reason = accuracy >= wanted ? undefined : `expected an accuracy of ${wanted} or more, got ${accuracy}`
  return { accuracy, loss, said, failed: reason !== undefined, reason }
}

/** The recipe as it is, once in each precision that the device has. */
export const mnist = (found) => {
  const folder = mkdtempSync(join(tmpdir(), 'ostrich-mnist-'))
  try {
    const result = each(precisions, (precision) =>
      precision === 'bf16' && !found.hasBf16
        ? { skipped: true, reason: noBf16 }
        : trained(precision, join(folder, precision)),
    )
    return saidOf(result, found)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const cells = ['lstm', 'tanh']
const algorithms = ['cudnn', 'cudnn-persistent', 'cudnn-persistent-small']
const languages = ['ptb-small', 'ptb-medium', 'ptb-large']

/** Recurrent layers that cuDNN computes, held to the CPU; then steps of the language models by our own kernels, by cuDNN, and by whichever was faster. */
export const layers = (found) => {
  const parity = cells.flatMap((cell) =>
    precisions.flatMap((precision) => algorithms.map((algorithm) => `${cell} ${precision} ${algorithm}`)),
  )
  const timings = languages.flatMap((name) =>
    trainedIn.flatMap((precision) => ['own', 'cudnn', ''].map((who) => `${name} ${precision} ${who || 'timed'}`)),
  )
  const result = each([...parity, ...timings], (item) => {
    const [what, precision, who] = item.split(' ')
    if (precision === 'bf16' && !found.hasBf16) return { skipped: true, reason: noBf16 }
    if (cells.includes(what))
      return lastJson(node('test/gpu/layers.mjs', [what, precision, who, device], { timeout: seconds(40) }))
    const env = { OSTRICH_RECURRENCES: who === 'timed' ? '' : who }
    const options = { timeout: seconds(60), env }
    const { step, compile } = lastJson(node('bench/steps/measure.mjs', [what, precision, '100', '1', device], options))
    return { step, compile }
  })
  return saidOf(result, found)
}

/** Translators: what they learn and what they write, held to the CPU. */
export const translation = (found) => {
  const items = ['attention', 'transformer'].flatMap((name) => precisions.map((precision) => `${name} ${precision}`))
  const result = each(items, (item) => {
    if (item.endsWith('bf16') && !found.hasBf16) return { skipped: true, reason: noBf16 }
    return lastJson(node('test/gpu/translation.mjs', [...item.split(' '), device], { timeout: seconds(85) }))
  })
  return saidOf(result, found)
}

/** A network over sound: what it learns, held to the CPU, and the loss of labels that nobody has aligned, alone. */
export const speech = (found) => {
  const result = each(precisions, (precision) => {
    if (precision === 'bf16' && !found.hasBf16) return { skipped: true, reason: noBf16 }
    return lastJson(node('test/gpu/speech.mjs', ['graves', precision, device], { timeout: seconds(170) }))
  })
  return saidOf(result, found)
}

/** Word vectors: that words of like neighbours come together, and words a second. */
export const words = () => {
  const models = ['skipGram', 'cbow'].flatMap((model) =>
    ['negativeSampling', 'hierarchicalSoftmax'].map((loss) => `${model} ${loss}`),
  )
  return each(models, (item) =>
    lastJson(node('test/gpu/words.mjs', [...item.split(' '), device], { timeout: seconds(60) })),
  )
}

/** What others tell of networks that were trained to their end: `moving-mnist-convlstm` aims at these. */
const told = {
  'Shi et al. 2015, 10,000 fixed training sequences': { crossEntropy: 367.1 },
  'Srivastava et al. 2015, composite LSTM': { crossEntropy: 341.2 },
  'OpenSTL, ConvLSTM-S, 200 epochs, the published test file': {
    ...{ squaredError: 29.8, absoluteError: 90.64, similarityOfRange2: 0.9288 },
  },
}

/** A network that predicts frames, trained for as long as a phase allows, and what it reached beside what others tell. */
export const video = (found) => {
  const args = found.hasGpu ? ['moving-mnist-convlstm', found.hasBf16 ? 'bf16' : 'tf32', '460'] : ['tiny', 'f32', '20']
  const result = each([args.join(' ')], () =>
    lastJson(node('test/gpu/video.mjs', [...args, device], { timeout: seconds(525) })),
  )
  const others = Object.entries(told).map(([item, figures]) => ({ item, ...figures }))
  return saidOf({ ...result, figures: [...result.figures, ...others] }, found)
}

const rounds = 3
const stepsEach = '200'
const enough = seconds(400)
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]

/** Who is measured: a name, and how to run it. PyTorch compiled needs a compiler on the machine. */
const contenders = [
  ['ostrich', (args) => node('bench/steps/measure.mjs', [...args, device], { timeout: seconds(120) })],
  ...['eager', 'compiled'].map((mode) => [
    mode,
    (args) => python('bench/peers/torch_steps.py', [...args, device, mode], { timeout: seconds(120) }),
  ]),
]

/** Steps of a case; those of networks for photographs and for texts are phases of their own, in the precisions that these are trained in. */
export const bench = (found) => steps(['mlp', 'lenet'], precisions, found)
export const cifar = (found) => steps(['cifar-convnet', 'cifar-local'], trainedIn, found)
export const ptb = (found) => steps(['ptb-small', 'ptb-medium', 'ptb-large'], trainedIn, found)
const batches = [128, 256, 512, 1024]
export const alexnet = (found) =>
  steps(
    ['alexnet-one-tower', 'alexnet'].flatMap((name) => batches.map((batch) => `${name}-${batch}`)),
    trainedIn,
    found,
  )

/** A round measures everything once, so that a noisy minute hits all; nothing starts that might not end in time. */
const steps = async (names, inPrecisions, found) => {
  const started = performance.now()
  const keys = names.flatMap((name) => inPrecisions.map((precision) => [name, precision]))
  // Ours first: what PyTorch compiles may take all the time that there is.
  const tasks = contenders.flatMap(([who, run]) =>
    keys.map((key) => {
      const absent = key[1] === 'bf16' && !found.hasBf16
      return { key, who, run, results: [], absent, ...(absent && { reason: noBf16 }) }
    }),
  )
  for (let round = 0; round < rounds; round++) {
    for (const task of tasks) {
      if (performance.now() - started > enough) break
      if (task.reason !== undefined) continue
      try {
        task.results.push(lastJson(task.run([...task.key, stepsEach, '1'])))
      } catch (error) {
        task.reason = reasonOf(error)
      }
    }
  }
  const result = each(
    tasks.map(({ key, who }) => [...key, who].join(' ')),
    (item) => measured(tasks.find(({ key, who }) => [...key, who].join(' ') === item)),
  )
  return saidOf(result, found)
}

const ours = ['fed', 'compile', 'roundTrip', 'javascript', 'memory', 'arena', 'state', 'reorders']

/** A peer that does not run is no failure of ours, but is counted. */
const measured = ({ who, absent, results, reason = results.length === 0 ? 'no time was left' : undefined }) => {
  if (reason !== undefined) return { [who === 'ostrich' && !absent ? 'failed' : 'skipped']: true, reason }
  const keys = who === 'ostrich' ? ours : []
  const rest = Object.fromEntries(keys.map((key) => [key, median(results.map((result) => result[key]))]))
  const { name, versions } = results[0]
  return { step: median(results.map(({ step }) => step)), rounds: results.length, name, ...rest, versions }
}
