// Language models: streams whose state goes on, networks beside the plain LSTM, and what is refused.
import { describe, expect, it } from 'vitest'
import { awdLstm, lstmLm, mrnnLm } from '../../lib/models/index.js'
import * as optim from '../../lib/optim/index.js'
import { session } from '../../lib/train/index.js'
import { circle, config, options, text, using, vocabulary } from '../support/small-language.js'

describe('a language model', () => {
  it('learns, and tells losses by the token and their perplexity', async () => {
    await using(
      { data: { train: text, validation: circle(200, 6) }, epochs: 40, optimizer: optim.adam({ rate: 0.01 }) },
      async (run) => {
        const { validation } = await run.run()
        expect(validation.perplexity).toBeLessThan(2.2)
        expect(validation.perplexity).toBeCloseTo(Math.exp(validation.loss), 5)
        expect(validation.bits).toBeCloseTo(validation.loss / Math.LN2, 5)
        expect(validation.accuracy).toBeGreaterThan(0.85)
        expect(validation.top5).toBeGreaterThan(validation.accuracy)
      },
    )
  })

  it('may be the multiplicative network', async () => {
    const net = mrnnLm({ vocabulary, features: 6, units: 12, factors: 12, dropout: 0 })
    const run = await session(net, options({ epochs: 30, overTime: 'mean', optimizer: optim.adam({ rate: 0.01 }) }))
    await run.run()
    const { perplexity } = await run.evaluate(circle(200, 6), 1)
    await run.dispose()
    expect(perplexity).toBeLessThan(2.2)
  })

  it('may be tied, with dropped weights, one mask for all steps of time, and averaged by plain SGD', async () => {
    const drop = { words: 0.05, input: 0.05, hidden: 0.05, output: 0.05, weights: 0.1 }
    const net = awdLstm({ vocabulary, features: 12, units: 16, layers: 3, drop })
    const optimizer = optim.sgd({ rate: 30, clipNorm: 0.25, weightDecay: 1.2e-6, average: { patience: 20 } })
    const data = { train: text, validation: circle(200, 6) }
    const run = await session(net, options({ data, epochs: 70, overTime: 'mean', optimizer }))
    const averaged: unknown[] = []
    for await (const event of run.events()) if (event.type === 'epoch') averaged.push(event.averaged)
    // It begins, and not with the first measurements.
    expect(averaged.at(-1)).toBe(true)
    expect(averaged.indexOf(true)).toBeGreaterThan(20)
    const [once, again] = [await run.evaluate(circle(200, 6), 1), await run.evaluate(circle(200, 6), 1)]
    const names = Object.keys(await run.parameters())
    await run.dispose()
    expect(once.perplexity).toBeLessThan(2.5)
    // Nothing is dropped when it is measured.
    expect(again).toEqual(once)
    // One table for both ends.
    expect(names.filter((name) => /table|linear|embedding/.test(name))).toEqual(['lm/table'])
  })

  it('refuses a text without the steps of a window, and one that is too short', async () => {
    const { window: _, ...rest } = options()
    await expect(session(lstmLm(config), rest)).rejects.toThrow('session[window]: expected the steps of a window')
    await expect(session(lstmLm(config), options({ window: 0 }))).rejects.toThrow('session[window]')
    await expect(session(lstmLm(config), options({ data: circle(20) }))).rejects.toThrow('at least 21 tokens')
    await expect(session(lstmLm(config), options({ overTime: 'max' as 'sum' }))).rejects.toThrow('session[overTime]')
    await expect(using({}, (run) => run.predict(new Int32Array(5)))).rejects.toThrow('got one of sequences')
  })
})
