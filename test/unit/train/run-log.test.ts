// The folder of a run: its three files, what survives a kill, and two runs at once.
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeRunFolder, openRunLog, runName } from '../../../lib/train/run-log.js'

let root = ''
let folder = ''
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ostrich-test-'))
  folder = join(root, 'run')
})
afterEach(() => rm(root, { recursive: true }))

const options = { config: { recipe: 'mnist', rate: 0.05 }, title: 'mnist' }
const step = (number: number, loss = 1 / number): { type: string; step: number; loss: number } => ({
  type: 'step',
  step: number,
  loss,
})
async function lines(): Promise<unknown[]> {
  const text = await readFile(join(folder, 'log.jsonl'), 'utf8')
  expect(text === '' || text.endsWith('\n')).toBe(true)
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line))
}

describe('openRunLog', () => {
  it('leaves the configuration, one line per event, and the curves', async () => {
    const log = await openRunLog(folder, options)
    for (let i = 1; i <= 1000; i++) log.write(step(i))
    log.write({ type: 'epoch', epoch: 1, step: 1000, validation: { accuracy: 0.975, loss: 0.1 } })
    await log.close()
    expect((await readdir(folder)).sort()).toEqual(['config.json', 'curves.svg', 'log.jsonl'])
    expect(JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'))).toEqual(options.config)
    const events = await lines()
    expect(events).toHaveLength(1001)
    expect(events[6]).toEqual(step(7))
    expect(await readFile(join(folder, 'curves.svg'), 'utf8')).toContain('97.5 %')
  })

  it('has a line on the disk soon after it was written, with no flush', async () => {
    const log = await openRunLog(folder, options)
    log.write(step(1))
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await lines()).toEqual([step(1)])
    await log.close()
  })

  it('keeps losses that are no numbers readable', async () => {
    const log = await openRunLog(folder, options)
    log.write(step(1, Number.NaN))
    log.write(step(2, -Infinity))
    await log.close()
    expect(await lines()).toEqual([
      { type: 'step', step: 1, loss: 'NaN' },
      { type: 'step', step: 2, loss: '-Infinity' },
    ])
  })

  it('resumes after a kill: the cut line goes, curves hold no step twice', async () => {
    const first = await openRunLog(folder, options)
    for (let i = 1; i <= 5; i++) first.write(step(i))
    await first.flush()
    await writeFile(join(folder, 'log.jsonl'), '{"type":"step","st', { flag: 'a' })
    await first.flush()
    const second = await openRunLog(folder, { ...options, resumeAt: 3 })
    second.write(step(4))
    await second.close()
    expect((await lines()).slice(4)).toEqual([step(5), { type: 'resume', step: 3 }, step(4)])
    const plain = await openRunLog(join(root, 'plain'), options)
    for (let i = 1; i <= 4; i++) plain.write(step(i))
    await plain.close()
    expect(await readFile(join(folder, 'curves.svg'), 'utf8')).toBe(
      await readFile(join(root, 'plain', 'curves.svg'), 'utf8'),
    )
  })

  it('starts an empty log unless it resumes, and resumes where there is none', async () => {
    const first = await openRunLog(folder, options)
    first.write(step(1))
    await first.close()
    await (await openRunLog(folder, options)).close()
    expect(await lines()).toEqual([])
    folder = join(root, 'fresh')
    await (await openRunLog(folder, { ...options, resumeAt: 0 })).close()
    expect(await lines()).toEqual([{ type: 'resume', step: 0 }])
  })

  it('passes over lines of a damaged log', async () => {
    await (await openRunLog(folder, options)).close()
    await writeFile(join(folder, 'log.jsonl'), 'not json\n7\nnull\n{"type":"step","step":"x"}\n')
    const log = await openRunLog(folder, { ...options, resumeAt: 1 })
    await log.close()
  })

  it('does not stop a run when the disk fails, and says so at the next flush', async () => {
    const log = await openRunLog(folder, options)
    await log.close()
    log.write(step(1))
    await expect(log.flush()).rejects.toThrow()
    await log.flush()
  })
})

describe('makeRunFolder', () => {
  it('gives every run its own folder, also at the same moment', async () => {
    const name = runName('mnist', new Date(Date.UTC(2026, 0, 31, 9, 5, 0)))
    expect(name).toBe('2026-01-31T09-05-00-mnist')
    const folders = await Promise.all([1, 2, 3].map(() => makeRunFolder(join(root, 'runs'), name)))
    expect(new Set(folders).size).toBe(3)
    expect((await readdir(join(root, 'runs'))).sort()).toEqual([name, `${name}-2`, `${name}-3`])
  })
})
