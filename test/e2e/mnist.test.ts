// MNIST through the command line: a recipe learns, is interrupted, goes on, leaves its folder, and its file is measured.
// Skipped where the data is neither cached nor to be fetched.
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { getMnist } from '../../lib/data/index.js'
import { inspectCheckpoint, type Metrics } from '../../lib/train/index.js'
import { type Ended, main } from '../support/command-line.js'

const absent = await getMnist({ signal: AbortSignal.timeout(60_000) }).then(
  () => undefined,
  (error: unknown) => String(error),
)
let folder = ''

/** A line of a run's log. */
interface Logged {
  readonly type: string
  readonly step?: number
  readonly validation?: Metrics
  readonly test?: Metrics
}

/** Runs a command; sends Ctrl-C once it has said the text. */
function ostrich(args: readonly string[], interruptAt?: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    let [out, err] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (interruptAt !== undefined && !err.includes(interruptAt) && (err + text).includes(interruptAt))
        child.kill('SIGINT')
      err += text
    })
    child.on('error', reject)
    child.on('close', (code) => {
      resolve({ code, out, err })
    })
  })
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-mnist-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe.skipIf(absent !== undefined)(`mnist${absent === undefined ? '' : ` (${absent})`}`, () => {
  it('is learned in one epoch, in spite of Ctrl-C, and leaves what is promised', { timeout: 240_000 }, async () => {
    const stopped = await ostrich(['train', 'mnist-mlp', '--epochs', '1', '--folder', 'run'], 'step 1/429')
    expect(stopped.code).toBe(130)
    expect(stopped.out).toMatch(/Stopped after step \d+\. Saved: run\/last\.safetensors/)
    expect(stopped.out).toContain('ostrich train mnist-mlp --resume run')
    const half = await inspectCheckpoint(join(folder, 'run/last.safetensors'))
    expect(half?.step).toBeLessThan(429)

    const ended = await ostrich(['train', 'mnist-mlp', '--resume', 'run'])
    expect(ended.err).toMatch(/epoch 1\/1 +loss [\d.]+ +validation accuracy [\d.]+ %, loss [\d.]+/)
    expect(ended.code).toBe(0)
    const accuracy = Number(/test accuracy ([\d.]+) %/.exec(ended.out)?.[1])
    expect(accuracy).toBeGreaterThan(95)
    expect(ended.out).toContain('saved run/last.safetensors')

    expect((await readdir(join(folder, 'run'))).sort()).toEqual([
      ...['config.json', 'curves.svg', 'last.safetensors', 'log.jsonl'],
    ])
    const log = (await readFile(join(folder, 'run/log.jsonl'), 'utf8')).trim().split('\n')
    const events = log.map((line) => JSON.parse(line) as Logged)
    expect(events.findLast(({ type }) => type === 'step')?.step).toBe(429)

    // Held-back training images are measured after each epoch, the test images once, at the end.
    const measure = async (...more: string[]): Promise<Metrics> =>
      JSON.parse((await ostrich(['eval', 'run/last.safetensors', '--json', ...more])).out) as Metrics
    const [test, validation] = [await measure(), await measure('--on', 'validation')]
    expect(test['accuracy']!).toBeCloseTo(accuracy / 100, 4)
    const [atEnd, ...others] = events.filter((event) => 'test' in event)
    expect(others).toEqual([])
    expect(atEnd?.test?.['accuracy']).toBeCloseTo(test['accuracy']!, 3)
    const [epoch, ...more] = events.filter(({ type }) => type === 'epoch')
    expect(more).toEqual([])
    expect(epoch?.validation?.['accuracy']).toBeCloseTo(validation['accuracy']!, 3)
    expect(validation.loss).not.toBe(test.loss)
  })

  it('refuses to go on with another recipe', async () => {
    const { code, err } = await ostrich(['train', 'mnist', '--resume', 'run'])
    expect(code).toBe(2)
    expect(err).toContain('--resume expects a checkpoint of mnist, got one of mnist-mlp')
  })
})
