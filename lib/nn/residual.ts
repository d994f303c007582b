// Sums around a network.
import { expectKind, is } from '../base/index.js'
import { sameShape, ShapeError, type Tensor } from '../graph/index.js'
import { add } from '../ops/index.js'
import { typeText } from './check.js'
import { type Around, layer, type Step } from './layer.js'

/**
 * body(x) + shortcut(x); without a shortcut, body(x) + x.
 * @throws OstrichError `ERR_OPTION` for what is no function; ShapeError when traced, where the two differ in shape.
 * @see He, Zhang, Ren & Sun 2016, "Deep residual learning for image recognition", 3.2.
 * @example nn.sequential(nn.residual(body), nn.relu())
 */
export function residual<F extends Step>(body: F, shortcut?: Step): Around<F> {
  expectKind('nn.residual', 'body', is.callable, body)
  if (shortcut !== undefined) expectKind('nn.residual', 'shortcut', is.callable, shortcut)
  const [inner, outer] = [body, shortcut] as unknown as [(x: Tensor) => Tensor, ((x: Tensor) => Tensor) | undefined]
  return layer<Tensor, Tensor>({
    kind: '',
    children: shortcut ? [body, shortcut] : [body],
    apply: (x) => {
      // The shortcut first: what ends the body can then take the sum as it goes.
      const beside = outer ? outer(x) : x
      const y = inner(x)
      if (y.dtype !== beside.dtype || !sameShape(y.shape, beside.shape)) {
        throw new ShapeError(`residual: expected a body that gives ${typeText(beside)}, got ${typeText(y)}`)
      }
      return add(y, beside)
    },
  }) as unknown as Around<F>
}
