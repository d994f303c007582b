// Runs from the command line over made-up digits: never over another run, never without a number, and what ends them is told.
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { getMnist, mnist } from '../../lib/data/index.js'
import { load } from '../../lib/infer/index.js'
import { openRunLog } from '../../lib/train/index.js'
import { driverIsThere } from '../../lib/runtime/driver.js'
import { mlp } from '../../lib/models/index.js'
import { type Ended, main, ostrich as command } from '../support/command-line.js'
import { makeDigits } from '../support/digits.js'

let folder = ''
const ostrich = (...args: string[]) => command(folder, args)
const train = (...args: string[]) => ostrich('train', 'fc10-1e-4', '--data', 'digits', '--batch', '64', ...args)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-runs-'))
  await makeDigits(join(folder, 'digits'))
  const first = await train('--epochs', '1', '--folder', 'run')
  if (first.code !== 0) throw new Error(first.err)
}, 120_000)
afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe('a folder that holds a run', () => {
  it('is left as it is', async () => {
    const before = await readFile(join(folder, 'run/last.safetensors'))
    const { code, err } = await train('--epochs', '1', '--folder', 'run')
    expect(code).toBe(2)
    expect(err).toContain('--folder expects a new folder, got run, which holds a run (config.json)')
    expect(err).toContain('ostrich train fc10-1e-4 --resume run')
    expect(await readFile(join(folder, 'run/last.safetensors'))).toEqual(before)
  })

  it('is not what another run goes on in', async () => {
    expect((await train('--epochs', '1', '--folder', 'other', '--quiet')).code).toBe(0)
    const { code, err } = await train('--resume', 'run', '--epochs', '2', '--folder', 'other')
    expect([code, err]).toEqual([2, expect.stringContaining('got other, which holds a run')])
    expect((await train('--resume', 'run/last.safetensors', '--epochs', '2', '--folder', './run')).code).toBe(0)
  })

  it('may be a file as little', async () => {
    await writeFile(join(folder, 'file'), '')
    for (const given of ['file', 'file/run']) {
      const { code, err } = await train('--epochs', '1', '--folder', given)
      expect([code, err]).toEqual([2, expect.stringContaining(`--folder expects a folder, got the file ${given}`)])
    }
    await expect(openRunLog(join(folder, 'file'), { config: {}, title: 'a' })).rejects.toMatchObject({
      code: 'ERR_OPTION',
      message: expect.stringContaining('expected a folder for the run, got a file on the way to') as string,
    })
  })
})

describe('--tensorboard', () => {
  it('leaves an event file with curves, and histograms of weights and gradients', async () => {
    const perceptron = ['train', 'mnist-mlp', '--data', 'digits', '--batch', '64', '--epochs', '1', '--quiet']
    const { code, err } = await ostrich(...perceptron, '--folder', 'board', '--tensorboard')
    expect([code, err]).toEqual([0, ''])
    const names = (await readdir(join(folder, 'board'))).filter((name) => name.startsWith('events.out.tfevents.'))
    expect(names).toHaveLength(1)
    const text = (await readFile(join(folder, 'board', names[0]!))).toString('latin1')
    const path = /weights\/(\S+?\/w)/.exec(text)![1]!
    const tags = ['loss/batch', 'loss/training', 'loss/validation', 'accuracy', `weights/${path}`, `gradients/${path}`]
    expect(tags.filter((tag) => !text.includes(tag))).toEqual([])
  })
})

describe('nothing to train', () => {
  it('is no success: a finished run', async () => {
    expect((await train('--epochs', '1', '--folder', 'done', '--quiet')).code).toBe(0)
    const { code, out, err } = await train('--resume', 'done')
    expect(code).toBe(2)
    expect(err).toContain('--resume expects a run with epochs to do, got one that has done 1 of 1 (--epochs 2 goes on')
    expect(out).not.toContain('NaN')
  })

  it('is no success: no epochs', async () => {
    const { code, err } = await train('--epochs', '0')
    expect([code, err]).toEqual([2, expect.stringContaining('--epochs expects at least 1, got 0')])
  })
})

describe('a measure that is monitored', () => {
  const perceptron = (...args: string[]) =>
    ostrich('train', 'mnist-mlp', '--data', 'digits', '--batch', '64', '--quiet', ...args)
  /** Epochs that a run's log tells of. */
  const epochs = async (run: string): Promise<number[]> => {
    const lines = (await readFile(join(folder, run, 'log.jsonl'), 'utf8')).trim().split('\n')
    const events = lines.map((line) => JSON.parse(line) as { type: string; epoch: number })
    return events.filter(({ type }) => type === 'epoch').map(({ epoch }) => epoch)
  }

  it('keeps the best epoch, ends the run, and is remembered by the run', async () => {
    // Nothing is learned at such a rate: the first epoch remains the best.
    const judged = ['--rate', '1e-30', '--monitor', 'accuracy', '--patience', '2']
    const { code, out } = await perceptron('--epochs', '9', '--folder', 'monitored', ...judged)
    expect(code).toBe(0)
    expect(out).toMatch(/best validation accuracy \S+ % after epoch 1: monitored\/best\.safetensors\n/)
    expect(await epochs('monitored')).toEqual([1, 2, 3])
    const config = JSON.parse(await readFile(join(folder, 'monitored/config.json'), 'utf8')) as object
    expect(config).toMatchObject({ monitor: 'accuracy', patience: 2 })
    // Two epochs were no better already.
    expect((await perceptron('--resume', 'monitored')).code).toBe(0)
    expect(await epochs('monitored')).toEqual([1, 2, 3])
  })

  it('is one that the recipe has, and patience is of one', async () => {
    const wrong = await perceptron('--monitor', 'acuracy')
    const words = '--monitor expects loss, accuracy, got acuracy. Did you mean accuracy?'
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining(words)])
    const { code, err } = await perceptron('--patience', '2')
    expect([code, err]).toEqual([2, expect.stringContaining('--patience expects a measure beside it (--monitor)')])
  })
})

describe('what is said', () => {
  it('is no word of CUDA where there is no driver', async () => {
    const { code, out, err } = await train('--epochs', '1', '--threads', '1', '--folder', 'plain')
    expect(code).toBe(0)
    expect(`${out}${err}`.includes('CUDA')).toBe(driverIsThere() && !err.includes('on NVIDIA'))
    expect(err).toMatch(/, 1 thread\n/)
    expect(out).toContain('Try next:')
  })

  it('is the result alone with --quiet', async () => {
    const { out, err } = await train('--epochs', '1', '--folder', 'quiet', '--quiet')
    expect(out).toMatch(/^test accuracy .* \(.*\)\nsaved quiet\/last\.safetensors\n$/)
    expect(err).toBe('')
  })

  it('is the version', async () => {
    const { version } = JSON.parse(await readFile(join(main, '../../../package.json'), 'utf8')) as { version: string }
    expect(await ostrich('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' })
  })

  it('is where the mistake lies: cases of the benchmark', async () => {
    const { code, err } = await ostrich('bench', '--only', 'nosuch')
    expect(code).toBe(2)
    expect(err).toMatch(/^bench: expected --only of mlp, .*, got nosuch\n$/)
  })
})

it('lipschitz takes the folder of a run', async () => {
  const [byFolder, byFile] = [
    await ostrich('lipschitz', 'run', '--json'),
    await ostrich('lipschitz', 'run/last.safetensors', '--json'),
  ]
  expect(byFolder).toEqual(byFile)
  expect(byFolder.code).toBe(0)
})

/** Trains until the text appears, then sends the signal. */
function interrupted(signal: NodeJS.Signals, name: string): Promise<Ended> {
  const args = [main, 'train', 'fc10-1e-4', '--data', 'digits', '--batch', '8', '--epochs', '100000', '--folder', name]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    let [out, err] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (!err.includes('epoch 1/') && (err + text).includes('epoch 1/')) child.kill(signal)
      err += text
    })
    child.on('error', reject)
    child.on('close', (code) => {
      resolve({ code, out, err })
    })
  })
}

describe('a signal saves the run', () => {
  it.for([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s, and ends it with %d', { timeout: 60_000 }, async ([signal, code]) => {
    const ended = await interrupted(signal, signal)
    expect(ended.code).toBe(code)
    expect(ended.out).toMatch(new RegExp(`Stopped after step \\d+\\. Saved: ${signal}/last\\.safetensors`))
  })
})

describe('files that are not what they should be', () => {
  it('a text as checkpoint', async () => {
    await writeFile(join(folder, 'notes.txt'), 'My dear notes')
    const refused = load(join(folder, 'notes.txt'), mlp({ inputs: 4, hidden: [], classes: 2 }))
    await expect(refused).rejects.toThrow(
      'expected a checkpoint in the form of safetensors, got a text that begins with "My dear "',
    )
  })

  it('data that cannot be looked at is not absent', async () => {
    await symlink('loop', join(folder, 'loop'))
    for (const read of [mnist, getMnist]) {
      await expect(read({ dir: join(folder, 'loop') })).rejects.toThrow(/expected to read it, got ELOOP/)
    }
    const { code, err } = await ostrich('train', 'ptb-small', '--data', 'loop')
    expect([code, err]).toEqual([1, expect.stringContaining('expected to read it, got ELOOP')])
  })
})
