// node video.mjs RECIPE PRECISION SECONDS DEVICE: trains a recipe of Moving MNIST there for so long, as it is, and measures it by the first test sequences.
// Prints one line of JSON with this, with what the mean of the training frames reaches, and with sequences/s; throws where the network is no better than
// that mean. `tiny` tries the script itself, where a few steps must do: it is held to the loss of its first step.
import { optim } from '../../bench/steps/library.mjs'
import { meanFrame, movingMnist, structuralSimilarity, subset } from '../../dist/data/index.js'
import { framePredictor } from '../../dist/infer/index.js'
import { planSession, recipes } from '../../dist/recipes/index.js'

const [name, precision, seconds, device] = process.argv.slice(2)
const tiny = name === 'tiny'
const recipe = recipes.find((one) => one.name === (tiny ? 'moving-mnist-small' : name))
const plan = { ...recipe.build(tiny ? { batch: 2 } : {}), ...(tiny && { optimizer: optim.adam({ rate: 0.01 }) }) }
/** However long they take. */
const leastSteps = 12
/** Of test sequences, how many are measured; and of these, how many as OpenSTL measures. */
const [measured, alike] = tiny ? [16, 8] : [1000, 200]
const end = performance.now() + 1000 * Number(seconds)

const data = await movingMnist({ ...(tiny && { train: 64 }), validation: 0, workers: 1 })
const firstOf = (set, most) =>
  subset(
    set,
    Array.from({ length: Math.min(most, set.length) }, (_, i) => i),
  )
const test = firstOf(data.test, measured)

/** Frames that are seen and those that follow, of test sequences by themselves. */
async function sequencesOf(count) {
  const found = []
  const bytes = ({ shape }) => shape.reduce((product, extent) => product * extent, 1)
  for (let i = 0; i < count; i++) {
    const [x, target] = [test.fields.x, test.fields.target].map((spec) => new Uint8Array(bytes(spec)))
    await test.gather([i], { x, target })
    found.push({ x, target })
  }
  return found
}

/** Cross-entropy of a frame, a sum over pixels, of the mean of the training frames. */
function natsOfMean(mean, sequences) {
  const each = sequences.map(({ target }) =>
    target.reduce((sum, level, i) => {
      const [seen, likely] = [level / 255, Math.min(Math.max(mean[i % mean.length], 1e-6), 1 - 1e-6)]
      return sum - seen * Math.log(likely) - (1 - seen) * Math.log(1 - likely)
    }, 0),
  )
  return each.reduce((sum, nats) => sum + nats, 0) / sequences.length / (sequences[0].target.length / mean.length)
}

/** Structural similarity as OpenSTL has it: scikit-image's without a range, which of numbers in floating point meant 2. */
async function similarityOf(run, sequences) {
  const [given, ...frame] = test.fields.x.shape
  const [, height, width] = frame
  const predictor = framePredictor(run, plan.net, { given, frame })
  const predicted = await predictor.predict(sequences.map(({ x }) => x))
  predictor.dispose()
  const pixels = height * width
  const all = sequences.flatMap(({ target }, i) =>
    Array.from({ length: target.length / pixels }, (_, at) => {
      const part = (frames) => frames.subarray(at * pixels, (at + 1) * pixels)
      const truth = Float32Array.from(part(target), (level) => level / 255)
      return structuralSimilarity(part(predicted[i]), truth, { height, width, range: 2 })
    }),
  )
  return all.reduce((sum, one) => sum + one, 0) / all.length
}

const run = await planSession(plan, { data: { train: data.train, test }, device, precision, seed: 1 })
let [steps, warm, last, first] = [0, 0, 0]
for await (const event of run.events()) {
  if (event.type !== 'step') continue
  first ??= event.loss
  // The first steps make programs, and choose among algorithms.
  if (++steps === 3) warm = event.elapsed
  last = event.elapsed
  if (steps >= leastSteps && performance.now() > end) break
}
const reached = await run.evaluate(test)
const sequences = await sequencesOf(alike)
const similarityOfRange2 = await similarityOf(run, sequences)
await run.dispose()
const mean = natsOfMean(await meanFrame(firstOf(data.train, 1000)), await sequencesOf(measured))
await data.close()
const bound = tiny ? 0.9 * first : mean
if (!(reached.crossEntropy < bound)) {
  const of = tiny ? '0.9 of the first loss' : 'the mean of the training frames'
  throw new Error(`expected fewer nats than ${bound}, ${of}, got ${reached.crossEntropy}`)
}
const sequencesPerSecond = ((steps - 3) * plan.batch) / (last - warm)
const told = { steps, sequences: steps * plan.batch, sequencesPerSecond, ...reached, similarityOfRange2, mean }
process.stdout.write(`${JSON.stringify(told)}\n`)
