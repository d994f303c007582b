// The plot of a run: well-formed whatever it is given, self-contained, and with axes that a person can read.
import { describe, expect, it } from 'vitest'
import { CurveRecorder, linearScale, renderCurves, smooth, type Point } from '../../../lib/report/curves.js'
import { parseXml } from '../../support/xml.js'

const falling = (length: number, from = 2.3, rate = 0.01): Point[] =>
  Array.from({ length }, (_, i) => ({ step: i + 1, value: from * Math.exp(-rate * i) }))

describe('renderCurves', () => {
  const metrics = new Map([
    ['accuracy', [0.91, 0.9925].map((value, i) => ({ step: 250 * (i + 1), value }))],
    ['loss', [0.2, 0.1].map((value, i) => ({ step: 250 * (i + 1), value }))],
  ])

  it('draws both panels with axes, legend and the last accuracy', () => {
    const texts = parseXml(renderCurves({ title: 'mnist', loss: falling(500), metrics }))
    for (const expected of [
      'loss',
      'training',
      'validation',
      'accuracy',
      'validation accuracy',
      '99.25 %',
      'step',
      '500',
    ]) {
      expect(texts).toContain(expected)
    }
    expect(texts.filter((text) => text === 'mnist')).toHaveLength(2)
  })

  it('refers to nothing outside itself and runs nothing', () => {
    const svg = renderCurves({ title: 'mnist', loss: falling(500), metrics })
    expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(
      /https?:|href|<script|<image|@import|url\((?!#)/,
    )
    expect(svg).toContain('prefers-color-scheme: dark')
  })

  it('goes logarithmic only when loss falls twentyfold', () => {
    expect(parseXml(renderCurves({ title: 't', loss: falling(500), metrics: new Map() }))).toContain('0.05')
    const shallow = parseXml(renderCurves({ title: 't', loss: falling(500, 2.3, 0.001), metrics: new Map() }))
    expect(shallow).toContain('1.5')
  })

  it.each<[string, Point[], [string, Point[]][]]>([
    ['nothing', [], []],
    ['one point', [{ step: 1, value: 2.3 }], [['accuracy', [{ step: 1, value: 0.1 }]]]],
    [
      'only holes',
      [
        { step: 1, value: NaN },
        { step: 2, value: Infinity },
      ],
      [['accuracy', [{ step: 1, value: NaN }]]],
    ],
    [
      'a diverging run',
      [
        { step: 1, value: 1 },
        { step: 2, value: 1e30 },
        { step: 3, value: NaN },
      ],
      [],
    ],
    [
      'a constant',
      [
        { step: 1, value: 0 },
        { step: 2, value: 0 },
      ],
      [['perplexity', [{ step: 2, value: 120.5 }]]],
    ],
    [
      'negative values',
      [
        { step: 1, value: -5 },
        { step: 2, value: -7 },
      ],
      [],
    ],
  ])('draws %s without a number that is not one', (_, loss, entries) => {
    const svg = renderCurves({ title: 't', loss, metrics: new Map(entries) })
    parseXml(svg)
    expect(svg).not.toMatch(/NaN|Infinity|undefined/)
    if (loss.every(({ value }) => !Number.isFinite(value))) expect(svg).toContain('no data yet')
  })

  it('escapes what it is given', () => {
    const hostile = '<script>alert("1")</script> & \u0001'
    const svg = renderCurves({
      title: hostile,
      loss: falling(3),
      metrics: new Map([[hostile, [{ step: 1, value: 1 }]]]),
    })
    parseXml(svg)
    expect(svg).not.toContain('<script')
    expect(svg).not.toContain('\u0001')
  })
})

describe('linearScale', () => {
  it.each([
    [[0, 2340], 8, ['0', '500', '1,000', '1,500', '2,000', '2,500']],
    [[0, 2.34], 5, ['0', '0.5', '1', '1.5', '2', '2.5']],
    [[0.97, 0.993], 4, ['0.97', '0.98', '0.99', '1']],
    [[3, 3], 4, ['3', '4']],
    [[0, 0], 5, ['0', '0.2']],
    [[0, 0.3], 5, ['0', '0.1', '0.2', '0.3']],
  ])('puts whole ticks around %j', (values, count, labels) => {
    const scale = linearScale(values, 0, 100, count)
    expect(scale.ticks.map(scale.format)).toEqual(labels)
    expect(scale.at(scale.ticks[0]!)).toBe(0)
    expect(scale.at(scale.ticks.at(-1)!)).toBeCloseTo(100)
  })
})

describe('smooth', () => {
  it('keeps a straight line, and averages noise away', () => {
    const line = Array.from({ length: 1000 }, (_, i) => ({ step: i, value: i }))
    for (const { step, value } of smooth(line).slice(0, 980)) expect(value).toBeCloseTo(step)
    const noise = line.map(({ step }) => ({ step, value: step % 2 }))
    for (const { value } of smooth(noise).slice(100)) expect(Math.abs(value - 0.5)).toBeLessThan(0.1)
    expect(smooth([])).toEqual([])
  })
})

describe('CurveRecorder', () => {
  it('keeps every point of a short run', () => {
    const recorder = new CurveRecorder()
    for (const { step, value } of falling(100)) recorder.addLoss(step, value)
    expect(recorder.curves().loss).toEqual(falling(100))
  })

  it('stays small in a long run and keeps its mean and its last step', () => {
    const recorder = new CurveRecorder()
    for (let step = 1; step <= 100_001; step++) recorder.addLoss(step, step)
    const { loss } = recorder.curves()
    expect(loss.length).toBeLessThanOrEqual(4096)
    expect(loss.length).toBeGreaterThan(2000)
    expect(loss.at(-1)?.step).toBe(100_001)
    expect(loss[0]?.value).toBeCloseTo(((loss[0]?.step ?? 0) + 1) / 2)
  })

  it('forgets what a resumed run will do again', () => {
    const recorder = new CurveRecorder()
    for (const { step, value } of falling(10)) recorder.addLoss(step, value)
    recorder.addMetric('accuracy', 4, 0.5)
    recorder.addMetric('accuracy', 8, 0.6)
    recorder.cutAfter(5)
    expect(recorder.curves().loss.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5])
    expect(recorder.curves().metrics.get('accuracy')).toEqual([{ step: 4, value: 0.5 }])
  })
})
