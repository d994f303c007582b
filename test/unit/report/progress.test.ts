// The progress display, frame by frame, with a stream and a clock that the test holds.
import { describe, expect, it } from 'vitest'
import { createProgress, formatSeconds, type ProgressState } from '../../../lib/report/progress.js'

function screen(options: { isTTY?: boolean; columns?: number; colours?: boolean; everySeconds?: number } = {}) {
  let now = 0
  const written: string[] = []
  const stream = {
    isTTY: options.isTTY ?? true,
    columns: options.columns ?? 100,
    hasColors: () => options.colours ?? false,
    write: (text: string) => void written.push(text),
  }
  const progress = createProgress({ stream, clock: () => now, everySeconds: options.everySeconds ?? 10 })
  return { progress, written, stream, wait: (ms: number) => void (now += ms) }
}

const state = (step: number, more: Partial<ProgressState> = {}): ProgressState => ({
  epoch: 2,
  epochs: 5,
  step,
  steps: 100,
  batch: 128,
  loss: 0.12345,
  measures: ['accuracy 97.10 %'],
  ...more,
})
const bare = (text: string): string => text.replace(/\x1b\[[0-9;]*[A-Za-z]|\r/g, '')

describe('on a terminal', () => {
  it('draws a bar with rate, time left, loss and accuracy', () => {
    const { progress, written, wait } = screen()
    progress.update(state(40))
    wait(1000)
    progress.update(state(50))
    expect(written).toEqual([
      '\repoch 2/5  ━━━━━━━━━━━━──────────────────   40 %  loss 0.1235  accuracy 97.10 %\x1b[K',
      '\repoch 2/5  ━━━━━━━━━━━───────────   50 %  loss 0.1235  eta 0:35  accuracy 97.10 %  1,280 examples/s\x1b[K',
    ])
  })

  it.each([200, 100, 80, 60, 50, 40, 30, 20, 10, 5, 1, 0])('never wraps at width %d', (columns) => {
    const { progress, written, wait } = screen({ columns })
    progress.update(state(40))
    wait(1000)
    progress.update(state(100, { epoch: 5 }))
    for (const frame of written) expect(bare(frame).length).toBeLessThanOrEqual(Math.max(0, columns - 1))
    if (columns >= 40) expect(bare(written.at(-1) ?? '')).toContain('━'.repeat(8))
    if (columns >= 50) expect(bare(written.at(-1) ?? '')).toContain('loss 0.1235')
  })

  it('follows a terminal that is resized', () => {
    const { progress, written, stream, wait } = screen()
    progress.update(state(1))
    stream.columns = 30
    wait(200)
    progress.update(state(2))
    expect(bare(written[1] ?? '').length).toBeLessThan(30)
  })

  it('redraws ten times a second at most', () => {
    const { progress, written, wait } = screen()
    for (let step = 1; step <= 100; step++) {
      progress.update(state(step))
      wait(10)
    }
    expect(written).toHaveLength(10)
  })

  it('prints lines above the bar, and ends on a fresh line with the last state', () => {
    const { progress, written } = screen()
    progress.update(state(1))
    progress.line('epoch 1: accuracy 97 %')
    progress.update(state(2))
    progress.finish()
    expect(written[1]).toBe('\r\x1b[Kepoch 1: accuracy 97 %\n')
    expect(bare(written[2] ?? '')).toContain('   1 %')
    expect(bare(written[3] ?? '')).toContain('   2 %')
    expect(written.at(-1)).toBe('\n')
    const { length } = written
    progress.finish()
    progress.update(state(3))
    progress.line('late')
    expect(written).toHaveLength(length)
  })

  it('uses colours only where the terminal has them', () => {
    const plain = screen()
    plain.progress.update(state(50))
    expect(plain.written[0]).not.toContain('\x1b[32m')
    const coloured = screen({ colours: true })
    coloured.progress.update(state(50))
    expect(coloured.written[0]).toContain('\x1b[32m━')
    expect(bare(coloured.written[0] ?? '')).toBe(bare(plain.written[0] ?? ''))
  })

  it('shows a loss that is no number, and a tiny one', () => {
    const { progress, written, wait } = screen()
    progress.update(state(1, { loss: Number.NaN }))
    wait(200)
    progress.update(state(2, { loss: 0.0000123 }))
    expect(written[0]).toContain('loss NaN')
    expect(written[1]).toContain('loss 1.23e-5')
  })
})

describe('the rate', () => {
  it('leaves out the first step, forgets slowly, and gives the time left', () => {
    const { progress, written, wait } = screen({ columns: 200 })
    wait(60_000)
    for (let step = 1; step <= 5; step++) {
      progress.update(state(step, { epoch: 1, epochs: 1 }))
      wait(1000)
    }
    // 128 examples a second; 95 steps of one second are left.
    expect(written.at(-1)).toContain('128 examples/s')
    expect(written.at(-1)).toContain('eta 1:35')
    wait(1000)
    progress.update(state(6, { epoch: 1, epochs: 1 }))
    const rate = Number(/([\d.]+) examples/.exec(written.at(-1) ?? '')?.[1])
    expect(rate).toBeGreaterThan(64)
    expect(rate).toBeLessThan(128)
  })

  it('starts anew when the position goes back', () => {
    const { progress, written, wait } = screen()
    progress.update(state(50))
    wait(1000)
    progress.update(state(1, { epoch: 1 }))
    expect(written[1]).not.toContain('examples/s')
    wait(1000)
    progress.update(state(2, { epoch: 1 }))
    expect(written[2]).toContain(' 128 examples/s')
  })
})

describe('without a terminal', () => {
  it('prints a plain line every few seconds and one at the end', () => {
    const { progress, written, wait } = screen({ isTTY: false, everySeconds: 10 })
    for (let step = 1; step <= 25; step++) {
      progress.update(state(step))
      wait(1000)
    }
    progress.line('epoch 2 done')
    progress.finish()
    progress.finish()
    expect(written).toEqual([
      'epoch 2/5  step 1/100  loss 0.1235  accuracy 97.10 %\n',
      'epoch 2/5  step 11/100  loss 0.1235  eta 6:29  accuracy 97.10 %  128 examples/s\n',
      'epoch 2/5  step 21/100  loss 0.1235  eta 6:19  accuracy 97.10 %  128 examples/s\n',
      'epoch 2 done\n',
      'epoch 2/5  step 25/100  loss 0.1235  eta 6:15  accuracy 97.10 %  128 examples/s\n',
    ])
  })
})

describe('without a stream', () => {
  it('is silent', () => {
    const progress = createProgress()
    progress.update(state(1))
    progress.line('x')
    progress.finish()
  })
})

describe('formatSeconds', () => {
  it.each([
    [0, '0:00'],
    [0.2, '0:01'],
    [59.5, '1:00'],
    [3599, '59:59'],
    [36_061, '10:01:01'],
  ])('%d s is %s', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text)
  })
})
