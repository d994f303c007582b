// Training learns: one batch is overfitted, and the first losses are those of a stored curve.
import { describe, expect, it } from 'vitest'
import curves from './curves.json' with { type: 'json' }
import { convolutional, images, losses, perceptron } from './tasks.js'

const networks = { perceptron, convolutional }

// f32 sums run in another order on another processor; bf16 keeps 8 bits, and its errors feed back through the weights.
const tolerance = { f32: 1e-4, bf16: 3e-2 }

describe.for(['perceptron', 'convolutional'] as const)('%s', (name) => {
  it.for(['f32', 'bf16'] as const)('overfits one batch in %s', async (precision) => {
    const curve = await losses(networks[name](), { data: images(16), epochs: 120, precision })
    expect(curve[0]).toBeGreaterThan(1)
    expect(curve.at(-1)).toBeLessThan(0.05)
  })

  it.for(['f32', 'bf16'] as const)('begins with the stored losses in %s', async (precision) => {
    const curve = await losses(networks[name](), { precision })
    const stored = curves[name]
    expect(curve).toHaveLength(stored.length)
    for (const [step, loss] of stored.entries()) {
      const error = Math.abs(curve[step]! - loss) / loss
      expect(error, `step ${step}: ${curve[step]!} against ${loss}`).toBeLessThan(tolerance[precision])
    }
  })
})
