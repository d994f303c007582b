// Checks of layer options and of inputs, with the layer's place in the message.
import { OstrichError } from '../base/index.js'
import { formatShape, type Tensor } from '../graph/index.js'

/** Throws `ERR_OPTION` unless `value` is an integer of at least 1. */
export function expectCount(layer: string, what: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return
  throw new OstrichError('ERR_OPTION', `${layer}: expected ${what} to be an integer of at least 1, got ${value}`)
}

/** Throws `ERR_OPTION` unless the groups divide both numbers of channels. */
export function expectGroups(layer: string, groups: number, inChannels: number, outChannels: number): void {
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

/** `f32[128, 784]` */
export function typeText(x: Tensor): string {
  return `${x.dtype}${formatShape(x.shape)}`
}
