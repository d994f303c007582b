// Checks of layer options and of inputs, with the layer's place in the message.
import { OstrichError } from '../base/index.js'
import { formatShape, ShapeError, type Tensor } from '../graph/index.js'

/** Throws `ERR_OPTION` unless `value` is an integer of at least 1. */
export function expectCount(layer: string, what: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return
  throw new OstrichError('ERR_OPTION', `${layer}: expected ${what} to be an integer of at least 1, got ${value}`)
}

/** Throws `ERR_OPTION` unless both numbers of channels are integers of at least 1, and the groups divide them. */
export function expectChannels(layer: string, inChannels: number, outChannels: number, groups = 1): void {
  expectCount(layer, 'input channels', inChannels)
  expectCount(layer, 'output channels', outChannels)
  if (inChannels % groups === 0 && outChannels % groups === 0) return
  const expected = `expected groups that divide ${inChannels} and ${outChannels} channels`
  throw new OstrichError('ERR_OPTION', `${layer}: ${expected}, got ${groups}`)
}

/** Throws `ERR_OPTION` unless `value` is a finite number. */
export function expectNumber(layer: string, what: string, value: number): void {
  if (Number.isFinite(value)) return
  throw new OstrichError('ERR_OPTION', `${layer}: expected ${what} to be a finite number, got ${value}`)
}

/** Path of the layer that owns a parameter: all but the last part of the parameter's own. */
export function ownerPath(parameter: Tensor): string {
  return parameter.node.path.split('/').slice(0, -1).join('/')
}

/**
 * Refuses an x that is not [N, ...extents], where a letter stands for any extent.
 * @throws ShapeError in the name of the layer that owns `weight`
 */
export function expectInput(layer: string, weight: Tensor, x: Tensor, extents: readonly (number | string)[]): void {
  const fits = extents.every((extent, i) => typeof extent === 'string' || x.shape[i + 1] === extent)
  if (fits && x.rank === extents.length + 1) return
  const expected = `x of f32[N, ${extents.join(', ')}]`
  throw new ShapeError(`${layer}[${ownerPath(weight)}]: expected ${expected}, got ${typeText(x)}`)
}

/** `f32[128, 784]` */
export function typeText(x: Tensor): string {
  return `${x.dtype}${formatShape(x.shape)}`
}
