// Attacks that follow the sign of the gradient, within a distance of the image in the largest norm: one step (Goodfellow, Shlens &
// Szegedy 2015, "Explaining and harnessing adversarial examples", section 4), or many (Madry et al. 2018, "Towards deep learning
// models resistant to adversarial attacks", section 2.1), all of them in one run of one program.
import { expectOptions, is, type Schema } from '../base/index.js'
import { grad } from '../autodiff/index.js'
import { constant, OstrichError, type Tensor } from '../graph/index.js'
import * as ops from '../ops/index.js'
import { makeBox } from './box.js'
import type { CompiledFunction, Compiler } from './compiler.js'
import { expectLogits, expectPath, type Classifier } from './classifier.js'

/** Options of `fgsm`. */
export interface FgsmOptions {
  /** Extents of the images, their number first: [N, ...]. */
  readonly shape: readonly number[]
  /** Largest change of an element, in the units of the image. */
  readonly epsilon: number
  /** Limits of all elements. Default: 0 to 1. */
  readonly bounds?: { readonly lower: number; readonly upper: number }
  /** Whether the labels are to be reached, in the place of those to be left. Default: false. */
  readonly targeted?: boolean
}

/** Options of `pgd`. */
export interface PgdOptions extends FgsmOptions {
  readonly steps: number
  /** Change of an element in one step. Default: 2.5 epsilon / steps, which can cross the whole distance. */
  readonly rate?: number
}

const schema: Schema<FgsmOptions> = {
  shape: is.needed(is.numbers),
  epsilon: is.needed(is.number),
  bounds: is.object,
  targeted: is.flag,
}

/** Attacks N images at a time; made by `fgsm` and `pgd`. */
export interface GradientAttack extends Disposable {
  /**
   * Images f32 [N, ...] that the classifier takes for others, from images f32 [N, ...] and labels i32 [N].
   * @throws DataError for inputs that do not fit; a label that is no class is `ERR_DATA`
   */
  run(images: Float32Array, labels: Int32Array): Promise<Float32Array>
  /** Frees its program. */
  dispose(): void
}

/**
 * Compiles one step of epsilon along the sign of the gradient of the cross-entropy, which raises it; or down, where targeted.
 * @throws OstrichError `ERR_ARGUMENT` for options out of range; ShapeError where the classifier does not give logits
 * @example
 * using attack = await solvers.fgsm(session, net, { shape: [128, 784], epsilon: 0.25 })
 * const wrong = await attack.run(images, labels)
 */
export async function fgsm(compiler: Compiler, net: Classifier, options: FgsmOptions): Promise<GradientAttack> {
  expectOptions('fgsm', options, schema)
  return signSteps('fgsm', compiler, net, { ...options, steps: 1, rate: options.epsilon })
}

/**
 * Compiles several such steps from the image itself, each kept within epsilon of the image and in the box.
 * @throws as `fgsm`
 * @example using attack = await solvers.pgd(session, net, { shape: [128, 784], epsilon: 0.3, steps: 40, rate: 0.01 })
 */
export async function pgd(compiler: Compiler, net: Classifier, options: PgdOptions): Promise<GradientAttack> {
  expectOptions<PgdOptions>('pgd', options, { ...schema, steps: is.needed(is.number), rate: is.number })
  const { epsilon, steps, rate = (2.5 * epsilon) / steps } = options
  return signSteps('pgd', compiler, net, { ...options, rate })
}

async function signSteps(
  name: string,
  compiler: Compiler,
  net: Classifier,
  {
    shape,
    epsilon,
    steps,
    rate,
    bounds = { lower: 0, upper: 1 },
    targeted = false,
  }: Required<Pick<PgdOptions, 'rate'>> & PgdOptions,
): Promise<GradientAttack> {
  const expectAbove = (option: string, value: number, holds = true): void => {
    if (holds && value > 0 && value < Infinity) return
    throw new OstrichError('ERR_ARGUMENT', `${name}: expected ${option} above 0, got ${value}`)
  }
  expectAbove('epsilon to be a number', epsilon)
  expectAbove('steps to be a whole number', steps, Number.isSafeInteger(steps))
  expectAbove('rate to be a number', rate)
  const box = makeBox(name, bounds, 1)
  const [rows = 1] = shape
  const attack = (images: Tensor, labels: Tensor<'i32', [number]>) => {
    const within = (x: Tensor, low: Tensor | number, high: Tensor | number): Tensor =>
      ops.minimum(ops.maximum(x, low), high)
    const limit = (side: 'lower' | 'upper') => constant('f32', [], Math.min(Math.max(box[side][0]!, -3e38), 3e38))
    let x = images
    for (let step = 0; step < steps; step++) {
      const loss = ops.sum(ops.crossEntropy(expectLogits(name, net(x), rows), labels))
      const move = ops.mul(ops.sign(expectPath(name, grad(loss, x))), targeted ? -rate : rate)
      const near = within(ops.add(x, move), ops.sub(images, epsilon), ops.add(images, epsilon))
      x = within(near, limit('lower'), limit('upper'))
    }
    return { x }
  }
  const program: CompiledFunction = await compiler.compile(attack, {
    images: shape,
    labels: { dtype: 'i32', shape: [rows] },
  })
  const dispose = (): void => {
    program.dispose()
  }
  return {
    run: async (images, labels) => (await program.run({ images, labels }))['x'] as Float32Array,
    dispose,
    [Symbol.dispose]: dispose,
  }
}
