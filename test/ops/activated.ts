// Activations that a product or a convolution applies to its result, by attribute.
import { formulaOf } from './formulas.js'

export function activated(name: string, x: number): number {
  if (name === 'none') return x
  if (name === 'relu' || name === 'tanh' || name === 'sigmoid') return formulaOf(name, 'f32')(x)
  throw new Error(`${name}: expected an activation`)
}
