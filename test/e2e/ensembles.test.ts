// Networks that guess together: the mean of their probabilities, in a search and in a model of several files.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { constant, type Tensor } from '../../lib/graph/index.js'
import {
  beamSearch,
  type BeamSearchOptions,
  ensembleOf,
  load,
  loadEnsemble,
  type Writer,
} from '../../lib/infer/index.js'
import type { Translator } from '../../lib/models/index.js'
import * as nn from '../../lib/nn/index.js'
import * as ops from '../../lib/ops/index.js'
import { session } from '../../lib/train/index.js'
import { everything, opened, openedBy, sentences, steps, translators, vocabulary } from './beams.js'
import { images, options, perceptron, side } from './tasks.js'

const device = options().device!
const common: BeamSearchOptions = { sentences: 3, steps, longest: 3, beam: vocabulary, lengthPenalty: 'none' }

describe('ensembleOf', () => {
  it.each(Object.keys(translators))('of a network and itself finds what it finds alone, of %s', async (name) => {
    const net = translators[name]!()
    await using run = await opened(net)
    const own = name === 'additive' ? { ...common, coverage: 0.3, alignments: true } : common
    using alone = await beamSearch(run, net, own)
    using twice = await beamSearch(run, ensembleOf([net, net]), own)
    const all = sentences(7)
    const [first, second] = [await alone.run(all), await twice.run(all)]
    for (const [i, found] of first.entries()) {
      expect(second[i]!.map(({ words }) => words.join())).toEqual(found.map(({ words }) => words.join()))
      for (const [k, { score, alignment }] of found.entries()) {
        expect(second[i]![k]!.score).toBeCloseTo(score, 4)
        const weights = (rows: readonly Float32Array[] | undefined) => (rows ?? []).flatMap((row) => [...row])
        for (const [j, weight] of weights(second[i]![k]!.alignment).entries()) {
          expect(weight).toBeCloseTo(weights(alignment)[j]!, 5)
        }
      }
    }
  })

  it('of several is the mean of their probabilities', async () => {
    const nets = [translators['lstm']!(), translators['additive']!(), translators['transformer']!()]
    await using run = await opened(...nets)
    using search = await beamSearch(run, ensembleOf(nets), common)
    const all = sentences(6)
    for (const [i, found] of (await search.run(all)).entries()) {
      const best = (await everything(nets, run, all[i]!)).slice(0, vocabulary)
      expect(found.map(({ words }) => words.join())).toEqual(best.map(({ words }) => words.join()))
      for (const [k, { score }] of found.entries()) expect(score).toBeCloseTo(best[k]!.logProbability, 4)
      // None of them alone says the same.
      const [alone] = await everything([nets[0]!], run, all[i]!)
      expect(Math.abs(alone!.logProbability - best[0]!.logProbability)).toBeGreaterThan(1e-3)
    }
  })

  it('averages where those that look have looked', async () => {
    const looking = (at: number): Writer => ({
      read: (source) => ({ states: { h: ops.transpose(ops.cast(source, 'f32'), [1, 0]) }, memory: {} }),
      write: (word, { h }) => {
        const [rows = 1] = word.shape
        const weights = Array.from({ length: steps }, (_, i) => (i === at ? 1 : 0))
        return {
          logits: ops.zeros([rows, vocabulary]),
          states: { h: h! },
          ...(at >= 0 && { alignment: ops.broadcastTo(constant('f32', [1, steps], weights), [rows, steps]) }),
        }
      },
    })
    await using run = await opened(translators['lstm']!())
    const all = ensembleOf([looking(0), looking(-1), looking(2)])
    using search = await beamSearch(run, all, { ...common, beam: 1, alignments: true })
    const [[found] = []] = await search.run([Int32Array.of(3, 3, 3, 3)])
    expect([...found!.alignment![0]!]).toEqual([0.5, 0, 0.5, 0])
  })

  it('refuses what cannot be one', async () => {
    expect(() => ensembleOf([])).toThrow(
      /ensembleOf\[writers\]: expected a list of networks that read and write, got \[\]/,
    )
    const narrow: Writer = {
      read: () => ({ states: {}, memory: {} }),
      write: (word) => ({ logits: ops.zeros([word.shape[0] ?? 1, 4]), states: {} }),
    }
    const net = translators['lstm']!()
    await using run = await opened(net)
    const message = /expected logits \[15, 5\], got \[15, 4\] from member2/
    await expect(beamSearch(run, ensembleOf([net, narrow]), common)).rejects.toThrow(message)
  })
})

describe('loadEnsemble', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ostrich-ensemble-'))
  })
  afterAll(async () => {
    await rm(folder, { recursive: true })
  })

  /** A translator as a function of one field: all its weights are of it. */
  const asked = (net: Translator) => (x: Tensor) => {
    const source: Tensor<'i32'> = ops.transpose(ops.cast(x, 'i32'), [1, 0])
    const [, rows = 1] = source.shape
    const before: Tensor<'i32'> = constant('i32', [1, rows], 1)
    return ops.reshape(net.logits(source, constant('i32', [rows], steps), before), [rows, vocabulary])
  }

  it('is the mean of what each was trained to, in one search', async () => {
    const paths = [1, 2].map((seed) => join(folder, `${seed}.safetensors`))
    const all = sentences(4)
    const make = translators['additive']!
    for (const [i, path] of paths.entries()) {
      await using run = await openedBy(i + 1, make())
      await run.save(path)
    }
    const nets = [make(), make()]
    const members = nets.map((net, i) => ({ path: paths[i]!, net: asked(net) }))
    const input = { dtype: 'i32', shape: [steps] } as const
    await using model = await loadEnsemble(members, { device, precision: 'f32', input })
    using search = await beamSearch(model, ensembleOf(nets), common)
    const found = await search.run(all)
    for (const [i, source] of all.entries()) {
      const [best] = await everything(nets, model, source)
      expect(found[i]![0]!.words.join()).toBe(best!.words.join())
      expect(found[i]![0]!.score).toBeCloseTo(best!.logProbability, 4)
    }
    const x = Int32Array.of(3, 4, 5, 6)
    const each: ArrayLike<number>[] = []
    for (const path of paths) {
      const net = asked(make())
      await using one = await load(path, net, { device, precision: 'f32', input })
      each.push(await one.predict(x))
      const weights = Object.entries(await one.parameters())
      const together = await model.parameters()
      const owner = `member${each.length}/`
      const other = weights.find(([name, values]) => together[owner + name]?.join() !== values.join())
      expect(other?.[0]).toBeUndefined()
      expect(Object.keys(together).filter((name) => name.startsWith(owner))).toHaveLength(weights.length)
    }
    expect(Array.from(each[0]!).join()).not.toBe(Array.from(each[1]!).join())
    const shares = each.map((logits) => {
      const exps = Array.from(logits, Math.exp)
      return exps.map((value) => value / exps.reduce((a, b) => a + b))
    })
    for (const [k, value] of (await model.predict(x)).entries()) {
      expect(value).toBeCloseTo(Math.log((shares[0]![k]! + shares[1]![k]!) / 2), 5)
    }
  })

  it('measures several classifiers as one', async () => {
    const paths = [1, 2].map((seed) => join(folder, `classes-${seed}.safetensors`))
    for (const [i, path] of paths.entries()) {
      await using run = await session(perceptron(), options({ seed: i + 1, epochs: 2 }))
      await run.run()
      await run.save(path)
    }
    await using model = await loadEnsemble(
      paths.map((path) => ({ path, net: perceptron() })),
      { device },
    )
    const { loss } = await model.evaluate({ data: images(100, 9), loss: nn.crossEntropy })
    const losses: number[] = []
    for (const path of paths) {
      await using one = await load(path, perceptron(), { device })
      losses.push((await one.evaluate({ data: images(100, 9), loss: nn.crossEntropy })).loss)
    }
    // -log is convex: the mean of probabilities costs less than the mean of costs.
    expect(loss).toBeLessThan((losses[0]! + losses[1]!) / 2)
    expect(loss).toBeGreaterThan(Math.min(...losses) / 2)
  })

  it('refuses files and networks that do not go together', async () => {
    const [path, other] = [join(folder, 'a.safetensors'), join(folder, 'b.safetensors')]
    const net = perceptron()
    const train = images(32)
    for (const [to, data] of [
      [path, { train }],
      [other, { train, classes: ['a', 'b', 'c', 'd', 'e'] }],
    ] as const) {
      await using run = await session(perceptron(), options({ data, epochs: 1 }))
      await run.run()
      await run.save(to)
    }
    const opening = (second: string, net2 = perceptron()) =>
      loadEnsemble([{ path, net }, { path: second, net: net2 }], { device }) // prettier-ignore
    await expect(opening(path, net)).rejects.toThrow(
      /loadEnsemble\[1.net\]: expected a network of its own for each file/,
    )
    await expect(opening(other)).rejects.toThrow(/b.safetensors: expected the classes of .*a.safetensors, got another/)
    await expect(loadEnsemble([])).rejects.toThrow(/loadEnsemble\[members\]: expected a list of \{ path, net \}/)
    const wide = nn.sequential(nn.flatten(), nn.linear(side * side, 16), nn.relu(), nn.linear(16, 5))
    await expect(opening(path, wide)).rejects.toThrow(
      /a.safetensors: expected a checkpoint of this model, got another: of another type .*linear1\/w/,
    )
  })
})
