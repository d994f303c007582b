// Mean and deviation, over a data set, of numbers that a program makes of its examples: what a spectrum is of a sound is not in the data.
import { expectKind, expectOptions, is, type Schema } from '../base/index.js'
import { batched, type Batch, batches, DataError, type Dataset, type Fields, type Moments } from '../data/index.js'
import { fieldsAt } from '../data/dataset.js'
import { firstRows } from '../data/rows.js'
import { feed, type Shape, ShapeError, type Tensor } from '../graph/index.js'
import { cast, div, maximum, mul, ones, reshape, square, sub, sum } from '../ops/index.js'
import { deviceOptions, type DeviceOptions } from '../runtime/index.js'
import { Kept } from './kept.js'
import { prepared } from './objective.js'
import { openPlace } from './place.js'
import { type Built, Programs } from './programs.js'
import { StateStore } from './state.js'
import type { FieldTensors } from './types.js'

/** Numbers of frames, as layers over sound give them. */
export interface Frames {
  /** f32 [T, N, D] */
  readonly output: Tensor<'f32'>
  /** Which frames there are, u8 [T, N]. Default: all. */
  readonly mask?: Tensor<'u8'> | undefined
}

/** Options of `frameMoments`. */
export interface FrameMomentsOptions extends DeviceOptions {
  /** Examples that are read together; of variable length, at most. Default: 32. */
  readonly batch?: number
}

const schema: Schema<FrameMomentsOptions> = { ...deviceOptions, batch: is.whole(1) }

/**
 * Mean and deviation of each of D numbers over all frames of a data set, of shape [1, D], as `nn.standardise` takes them: those of the
 * training set belong there. `numbers` is a function of the fields of a batch, as an objective is.
 * @throws OstrichError `ERR_OPTION`; ShapeError for other numbers than f32 [T, N, D]; DataError where there is no frame, or a number is not finite
 * @see Chan, Golub & LeVeque 1983, "Algorithms for computing the sample variance", eq. 2.1.
 * @example const { mean, deviation } = await train.frameMoments(set, ({ x, lengths }) => net.features(x, lengths))
 */
export async function frameMoments<F extends Fields>(
  data: Dataset<F>,
  numbers: { of(fields: FieldTensors<F>): Frames }['of'],
  options: FrameMomentsOptions = {},
): Promise<Moments> {
  expectKind('frameMoments', 'numbers', is.callable, numbers)
  expectOptions<FrameMomentsOptions>('frameMoments', options, schema)
  const { batch = 32, ...where } = options
  const { device } = await openPlace({ ...where, precision: 'f32' })
  try {
    const programs = new Programs(device, new StateStore(device), 1)
    const kept = new Kept<Built>(64, (built) => {
      programs.free(built)
    })
    const total = new Total()
    for await (const one of batches(data as Dataset, { batch })) {
      const fields = fieldsAt<Fields>(data.fields, one.steps, one.extents)
      const key = JSON.stringify([one.count, fields])
      const body = () => momentsOf(numbers as (fields: Readonly<Record<string, Tensor>>) => Frames, fields, one.count)
      const built = await kept.made(key, () =>
        programs.build({ name: 'moments', mode: 'eval', precision: 'f32', brings: true }, body),
      )
      total.add(await ran(built, fields, one))
    }
    return total.moments()
  } finally {
    await device.dispose()
  }
}

/** What a batch comes to. */
type Part = Readonly<Record<'count' | 'mean' | 'squares', Float32Array>>

async function ran({ program, fetches }: Built, fields: Fields, { count, feeds }: Batch): Promise<Part> {
  const given = Object.entries(fields).map(([name, spec]) => [name, firstRows(spec, feeds[name]!, count)])
  const results = Object.fromEntries(fetches.map(({ name, shape }) => [name, new Float32Array(shape[0] ?? 1)])) as Part
  await program.run(Object.fromEntries(given) as Batch['feeds'], results)
  return results
}

/** How many frames there are, their mean, and the sums of the squares of what they are apart from it. */
function momentsOf(
  numbers: (fields: Readonly<Record<string, Tensor>>) => Frames,
  fields: Fields,
  rows: number,
): Record<keyof Part, Tensor> {
  const tensors = Object.entries(fields).map(([name, spec]) => [
    name,
    prepared({}, name, feed(name, spec.dtype, batched(spec, rows))),
  ])
  const { output, mask } = numbers(Object.fromEntries(tensors) as Readonly<Record<string, Tensor>>)
  const given: Tensor = output
  if (given.dtype !== 'f32' || given.rank !== 3) {
    throw new ShapeError(
      `frameMoments: expected numbers of f32[T, N, D], got ${output.dtype}[${output.shape.join(', ')}]`,
    )
  }
  const [steps = 1, streams = 1, features = 1] = output.shape
  const x = reshape(output, [steps * streams, features])
  const there: Tensor<'f32'> =
    mask === undefined ? ones([steps * streams, 1]) : reshape(cast(mask, 'f32'), [steps * streams, 1])
  const count = sum(there, 0)
  const mean = div<'f32', Shape, Shape>(sum(mul<'f32', Shape, Shape>(x, there), 0), maximum<'f32', Shape>(count, 1))
  const apart = mul<'f32', Shape, Shape>(sub<'f32', Shape, Shape>(x, mean), there)
  return { count, mean, squares: sum(square(apart), 0) }
}

/** Moments of all batches so far, in double precision. */
class Total {
  #count = 0
  #mean = new Float64Array(0)
  #squares = new Float64Array(0)

  add({ count, mean, squares }: Part): void {
    const more = count[0]!
    if (more === 0) return
    if (this.#count === 0) [this.#mean, this.#squares] = [new Float64Array(mean.length), new Float64Array(mean.length)]
    const all = this.#count + more
    for (const [d, own] of mean.entries()) {
      const apart = own - this.#mean[d]!
      this.#mean[d]! += (apart * more) / all
      this.#squares[d]! += squares[d]! + (apart * apart * this.#count * more) / all
    }
    this.#count = all
  }

  moments(): Moments {
    if (this.#count === 0) throw new DataError('frameMoments: expected frames, got none')
    const strange = this.#squares.findIndex((sum) => !Number.isFinite(sum))
    if (strange >= 0)
      throw new DataError(`frameMoments: expected finite numbers, got others as number ${strange} of a frame`)
    // Sums in f32 make something of numbers that are all alike.
    const deviation = Float32Array.from(this.#squares, (sum, d) => {
      const own = Math.sqrt(sum / this.#count)
      return own > 1e-6 * Math.abs(this.#mean[d]!) ? own : 1
    })
    return { shape: [1, this.#mean.length], mean: Float32Array.from(this.#mean), deviation }
  }
}
