// The six traps of the published recipe (docs/language-models.md) that change results without a word, each held by a check.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Text, Vocabulary } from '../../lib/data/index.js'
import {
  assign,
  constant,
  feed,
  type Graph,
  type HostArray,
  type Node,
  read,
  type Tensor,
  trace,
} from '../../lib/graph/index.js'
import { lstmLm, type LstmLmConfig } from '../../lib/models/index.js'
import * as ops from '../../lib/ops/index.js'
import * as optim from '../../lib/optim/index.js'
import { type Recipe, recipes } from '../../lib/recipes/index.js'
import { openSafetensors } from '../../lib/files/index.js'
import { type SessionOptions } from '../../lib/train/index.js'
import { perplexityOf } from '../support/language.js'
import { circle, config, losses, still, text, using, vocabulary } from '../support/small-language.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-language-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe('trap 1: the loss is summed over time', () => {
  /** After one step: the epoch has no more. */
  const parameters = (more: Partial<SessionOptions>): Promise<Record<string, ArrayLike<number>>> =>
    using({ ...more, data: circle(21) }, async (run) => {
      expect((await run.run()).step).toBe(1)
      return run.parameters()
    })

  it('so a step is as long as one at T times the rate on the mean', async () => {
    const rate = 0.01
    const [summed, mean] = [
      await parameters({ optimizer: optim.sgd({ rate }) }),
      await parameters({ optimizer: optim.sgd({ rate: rate * 5 }), overTime: 'mean' }),
    ]
    const slow = await parameters({ optimizer: optim.sgd({ rate }), overTime: 'mean' })
    for (const [name, values] of Object.entries(summed)) {
      const worst = Math.max(...Array.from(values, (value, i) => Math.abs(value - mean[name]![i]!)))
      expect(worst, name).toBeLessThan(1e-6)
    }
    const bias = 'lm/linear1/b'
    expect(Math.max(...Array.from(summed[bias]!, (value, i) => Math.abs(value - slow[bias]![i]!)))).toBeGreaterThan(
      1e-3,
    )
  })

  it('and the norm that gradients are clipped to is that of the sum', async () => {
    const first = await using({ ...still }, (run) => run.parameters())
    const after = await parameters({ optimizer: optim.sgd({ rate: 1, clipNorm: 0.5 }) })
    const squares = Object.entries(after).flatMap(([name, values]) =>
      Array.from(values, (value, i) => (value - (first[name] as ArrayLike<number>)[i]!) ** 2),
    )
    // Of the mean, a fifth of it, the norm would be below the limit.
    expect(Math.sqrt(squares.reduce((a, b) => a + b))).toBeCloseTo(0.5, 3)
  })
})

describe('trap 2: no forget bias', () => {
  it('every parameter starts uniform in +-init, the biases of forget gates too', async () => {
    const initial = await using({}, (run) => run.parameters(), { ...config, units: 64 })
    const names = Object.keys(initial)
    expect(names.filter((name) => name.endsWith('/b') || name.endsWith('/br'))).toHaveLength(5)
    for (const [name, values] of Object.entries(initial)) {
      const list = Array.from(values as ArrayLike<number>)
      expect(Math.max(...list.map(Math.abs)), name).toBeLessThanOrEqual(0.1)
      expect(Math.max(...list) - Math.min(...list), name).toBeGreaterThan(0.13)
    }
    const forget = Array.from(initial['lm/lstm1/b'] as ArrayLike<number>).slice(64, 128)
    expect(Math.abs(forget.reduce((a, b) => a + b) / 64)).toBeLessThan(0.03)
  })
})

describe('trap 3: the state goes on from window to window, and starts at zero with each epoch', () => {
  it('two windows give what one of both gives', async () => {
    const [first, second] = await losses(still, 2)
    const [both] = await losses({ ...still, window: 10 }, 1)
    expect((first! + second!) / 2).toBeCloseTo(both!, 5)
    // Without the state the second window would be harder or easier to guess.
    const cut: Text = {
      ...text,
      tokens: Int32Array.from([0, 1, 2, 3].flatMap((n) => [...text.tokens.subarray(n * 99 + 5, n * 99 + 11)])),
    }
    const [alone] = await losses({ ...still, data: { ...cut, tokens: cut.tokens }, window: 5 }, 1)
    expect(Math.abs(alone! - second!)).toBeGreaterThan(1e-6)
  })

  it('an epoch begins as the first did', async () => {
    const perEpoch = Math.floor(Math.floor(399 / 4) / 5)
    const seen = await losses({ ...still, epochs: 2 }, 2 * perEpoch)
    expect(seen.slice(perEpoch)).toEqual(seen.slice(0, perEpoch))
  })

  it('measuring does not disturb the states of training', async () => {
    const quiet = await losses({}, 6)
    const disturbed = await using({}, async (run) => {
      const seen: number[] = []
      for await (const event of run.events()) {
        if (event.type !== 'step') continue
        seen.push(event.loss)
        await run.evaluate(text)
        if (seen.length === 6) break
      }
      return seen
    })
    expect(disturbed).toEqual(quiet)
  })
})

describe('trap 4: dropout is new at every step of time, and never on the recurrent connection', () => {
  const graph = (knobs: LstmLmConfig): Graph => {
    const net = lstmLm(knobs)
    return trace({ name: 'lm', mode: 'train' }, () => ({ y: net(feed('x', 'i32', [6, 3])) }))
  }

  it('masks the embedding, between layers and before the softmax, over all steps at once', () => {
    const masks = graph({ ...config, dropout: 0.5 }).nodes.filter(({ op }) => op.name === 'dropout')
    expect(masks.map(({ outputs }) => outputs[0]!.shape)).toEqual([
      [6, 3, 12],
      [6, 3, 12],
      [6, 3, 12],
    ])
    expect(new Set(masks.map(({ attrs }) => attrs['stream'])).size).toBe(3)
  })

  it('leaves the path from state to state alone', () => {
    const made = graph({ ...config, dropout: 0.5 })
    // What the states of the last step are made of, without passing the embedding's and the other layers' outputs.
    for (const { value, state } of made.assigns) {
      const layer = state.node.path.split('/').slice(0, -1).join('/')
      const seen = new Set<Node>()
      const visit = (node: Node): void => {
        if (seen.has(node) || !node.path.startsWith(layer)) return
        seen.add(node)
        for (const input of node.inputs) visit(input.node)
      }
      visit(value.node)
      expect([...seen].filter(({ op }) => op.name === 'dropout')).toEqual([])
      expect(seen.size).toBeGreaterThan(5)
    }
  })

  it('draws new masks at each step of training', async () => {
    const seen = await losses({ ...still, data: circle(41), batch: 1, window: 20, epochs: 2 }, 4, {
      ...config,
      dropout: 0.5,
    })
    expect(seen[0]).not.toBeCloseTo(seen[2]!, 5)
  })
})

describe('trap 5: perplexity is exp of the whole loss over the whole count', () => {
  it('counts every token once, the last short window too, whatever the window', async () => {
    const measured = await using({}, async (run) => {
      const [parameters, one, twenty] = [
        await run.parameters(),
        await run.evaluate(text, 1),
        await run.evaluate(text, 20),
      ]
      return { parameters, one, twenty }
    })
    const whole = perplexityOf(measured.parameters, text.tokens)
    expect(measured.one['perplexity']! / whole).toBeCloseTo(1, 5)
    const long = await using({ window: 33 }, (run) => run.evaluate(text, 1))
    expect(long['perplexity']! / whole).toBeCloseTo(1, 5)
    // Streams that start at zero guess a little differently.
    expect(Math.abs(measured.twenty['perplexity']! - whole)).toBeGreaterThan(1e-6)
  })

  it('keeps <unk> among the words that count', async () => {
    const words = new Vocabulary({ unit: 'word', tokens: ['a', 'b', '<unk>', '<eos>', 'c', 'd', 'e'] })
    const unknown: Text = { tokens: words.encode('a zebra b zebra'), vocabulary: words }
    expect([...unknown.tokens]).toEqual([0, 2, 1, 2, 3])
    const [{ perplexity }, parameters] = await using({}, async (run) => [
      await run.evaluate(unknown, 1),
      await run.parameters(),
    ])
    expect(perplexity! / perplexityOf(parameters, unknown.tokens)).toBeCloseTo(1, 5)
  })
})

describe('trap 6: plain SGD', () => {
  const published = recipes.filter(({ name }) => /^ptb-(small|medium|large)$/.test(name))
  const optimizerOf = (recipe: Recipe) => recipe.build({ text: { tokens: 10_000, vocabulary } }).optimizer

  /** w - rate g and nothing else, with gradients that are scaled down to a common norm. */
  const plain = (rate: number, most: number): optim.Optimizer => ({
    rate: () => constant('f32', [], rate),
    update(updates) {
      const squares = updates.map(({ gradient }) => ops.sum(ops.square(gradient)))
      const norm = ops.sqrt(squares.reduce((all, one) => ops.add(all, one))) as Tensor<'f32', []>
      const factor = ops.mul(ops.minimum(ops.div(most, norm), 1), rate)
      for (const { variable, gradient } of updates) assign(variable, ops.sub(read(variable), ops.mul(gradient, factor)))
    },
  })

  it.for(published)(
    'a step of $name is the rate times the gradient, at the third step as at the first',
    async (recipe) => {
      const most = { 'ptb-small': 5, 'ptb-medium': 5, 'ptb-large': 10 }[recipe.name]!
      const walk = (optimizer: optim.Optimizer) =>
        using({ optimizer, window: 20 }, async (run) => {
          const seen: Record<string, HostArray>[] = []
          for await (const event of run.events()) {
            if (event.type !== 'step') continue
            seen.push(await run.parameters())
            if (seen.length === 3) break
          }
          return seen
        })
      const [got, wanted] = [await walk(optimizerOf(recipe)), await walk(plain(1, most))]
      for (const [step, parameters] of wanted.entries()) {
        for (const [name, values] of Object.entries(parameters)) {
          const worst = Math.max(...Array.from(values, (value, i) => Math.abs(value - got[step]![name]![i]!)))
          expect(worst, `${name} after step ${step + 1}`).toBeLessThan(1e-5)
        }
      }
    },
  )

  it('keeps no moments', async () => {
    for (const recipe of published) {
      const path = join(folder, `${recipe.name}.safetensors`)
      await using({ optimizer: optimizerOf(recipe) }, async (run) => {
        for await (const event of run.events()) if (event.type === 'step') break
        await run.save(path)
      })
      const file = await openSafetensors(path)
      const names = [...file.tensors.keys()].filter((name) => /\.(?:momentum|mean|square)$/.test(name))
      await file.close()
      expect(names).toEqual([])
    }
  })
})
