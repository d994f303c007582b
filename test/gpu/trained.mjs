// A training on a device, held to the CPU by the losses of its first steps. Throws where they do not agree, or where nothing is learned.
import { session } from '../../dist/train/index.js'

const epochs = 5
/** Steps whose losses the CPU repeats, and how far they may be apart: sums in other orders, products rounded to 10 and to 8 bits. */
const repeated = 8
const tolerance = { f32: 1e-3, tf32: 5e-3, bf16: 5e-2 }

/** Losses of the first steps, and how often in a second there was an epoch, but for the first, in which programs are made. */
async function trained({ make, device, precision, steps, file }) {
  const { objective, options } = make()
  const run = await session(objective, { ...options, epochs, device, precision, seed: 1 })
  const losses = []
  let [warm, end] = [0, 0]
  for await (const event of run.events()) {
    if (event.type !== 'step') continue
    if (event.epoch === 1) warm = event.elapsed
    end = event.elapsed
    if (losses.push(event.loss) === steps) break
  }
  if (file !== undefined) await run.save(file)
  await run.dispose()
  return { losses, speed: (epochs - 1) / (end - warm) }
}

/**
 * Trains what `make` gives, an objective and options of its session; keeps the weights in a file where one is named.
 * @returns the first and the last loss, how far the first ones lie from the CPU's, and epochs in a second
 */
export async function heldToCpu({ make, device, precision, file }) {
  const there = await trained({ make, device, precision, steps: Infinity, file })
  const here = await trained({ make, device: 'cpu', precision: 'f32', steps: repeated })
  const apart = Math.max(...here.losses.map((loss, i) => Math.abs(there.losses[i] / loss - 1)))
  if (!(apart <= tolerance[precision])) {
    throw new Error(`expected losses ${here.losses.join(' ')}, got ${there.losses.slice(0, repeated).join(' ')}`)
  }
  const [first, last] = [there.losses[0], there.losses.at(-1)]
  if (!(last < 0.8 * first)) throw new Error(`expected a loss below 0.8 of ${first}, got ${last}`)
  return { first, last, apart, speed: there.speed }
}
