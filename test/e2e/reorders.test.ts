// No training step of a recipe moves weights by oneDNN's reference loop, which takes a hundred times as long as a copy:
// where it has no better one for two of its own layouts, native/cpu has.
import { afterAll, describe, expect, it } from 'vitest'
import { planFields } from '../../lib/recipes/recipe.js'
import { recipes } from '../../lib/recipes/index.js'
import { type Device, openDevice } from '../../lib/runtime/index.js'
import { supervised } from '../../lib/train/objective.js'
import { Programs } from '../../lib/train/programs.js'
import { StateStore } from '../../lib/train/state.js'
import { Trainer } from '../../lib/train/trainer.js'

/** Elements from which it matters. */
const many = 32768
const device: Device = await openDevice({ device: 'cpu', threads: 2 })
afterAll(() => device.dispose())

/** Reorders of a plan by the reference loop, with the shape that they move. */
function referenceLoops(explain: string): string[] {
  const found = explain.matchAll(/^\d+ (\w+\[.*\]) simple:any\n {4}<- \w+ \[([\d, ]*)\]/gm)
  return [...found]
    .map((match) => ({ step: match[1] ?? '', shape: (match[2] ?? '').split(', ').map(Number) }))
    .filter(({ shape }) => shape.reduce((n, extent) => n * extent, 1) >= many)
    .map(({ step, shape }) => `${step} of [${shape.join(', ')}]`)
}

describe.each(['f32', 'bf16'] as const)('a training step in %s', (precision) => {
  it.each(recipes)('$name reorders nothing large element by element', { timeout: 60_000 }, async (recipe) => {
    // The blocks of weights depend on channels, not on how many images there are.
    const plan = recipe.build({ batch: 32 })
    const store = new StateStore(device)
    const programs = new Programs(device, store, 1)
    const trainer = await Trainer.create(programs, {
      task: { objective: plan.objective ?? supervised(plan.net, plan.loss), inputs: plan.inputs ?? {} },
      shapes: [{ rows: plan.batch, steps: undefined, fields: planFields(plan) }],
      optimizer: plan.optimizer,
      precision,
    })
    const { explain } = trainer.stats
    programs.dispose()
    store.dispose()
    expect(referenceLoops(explain)).toEqual([])
  })
})
