// ostrich runs, and a run that is done again from its configuration.
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ostrich as command } from '../support/command-line.js'
import { makeDigits } from '../support/digits.js'

let folder = ''
const ostrich = (...args: string[]) => command(folder, args)
const train = (...args: string[]) =>
  ostrich('train', 'mnist-mlp', '--data', 'digits', '--batch', '64', '--quiet', ...args)
const isThere = (path: string) =>
  stat(join(folder, path)).then(
    () => true,
    () => false,
  )

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-run-list-'))
  await makeDigits(join(folder, 'digits'))
  await train('--epochs', '1', '--folder', 'runs/one', '--seed', '5', '--rate', '0.02')
  await train('--epochs', '2', '--folder', 'runs/two')
  await mkdir(join(folder, 'runs/notes'))
}, 120_000)
afterAll(async () => {
  await rm(folder, { recursive: true })
})

interface Told {
  readonly folder: string
  readonly recipe: string
  readonly state: string
  readonly done: number
  readonly epochs: number
  readonly step: number
  readonly validation: Readonly<Record<string, number>>
}

describe('ostrich runs', () => {
  it('lists what is in ./runs, the last one first, and leaves out what is no run', async () => {
    const { code, out } = await ostrich('runs')
    expect(code).toBe(0)
    const [heads, ...rows] = out.trimEnd().split('\n')
    expect(heads).toMatch(/^run +recipe +state +epochs +steps +loss +validation$/)
    expect(rows.map((row) => row.split(/\s+/).slice(0, 4))).toEqual([
      ['two', 'mnist-mlp', 'ended', '2/2'],
      ['one', 'mnist-mlp', 'ended', '1/1'],
    ])
    expect(rows[0]).toMatch(/accuracy [\d.]+$/)
  })

  it('says the same as JSON', async () => {
    const told = JSON.parse((await ostrich('runs', '--json')).out) as Told[]
    expect(told.map(({ folder: path, recipe, state, done, epochs }) => [path, recipe, state, done, epochs])).toEqual([
      ['runs/two', 'mnist-mlp', 'ended', 2, 2],
      ['runs/one', 'mnist-mlp', 'ended', 1, 1],
    ])
    expect(told[0]!.step).toBe(2 * told[1]!.step)
    expect(told[0]!.validation['accuracy']).toBeGreaterThan(0.5)
    expect((await ostrich('runs', '--in', 'nowhere', '--json')).out).toBe('[]\n')
  })

  it('reads a log that was cut, and a configuration that is damaged', async () => {
    await mkdir(join(folder, 'cut/run'), { recursive: true })
    await writeFile(join(folder, 'cut/run/config.json'), '{"recipe": "mni')
    const log = await readFile(join(folder, 'runs/two/log.jsonl'), 'utf8')
    await writeFile(join(folder, 'cut/run/log.jsonl'), log.slice(0, log.indexOf('"type":"end"') + 9))
    const [told] = JSON.parse((await ostrich('runs', '--in', 'cut', '--json')).out) as Told[]
    expect(told).toMatchObject({ state: 'running', done: 2 })
    expect(told!.recipe).toBeUndefined()
  })

  it('draws the curves of several runs in one picture', async () => {
    const { code, out } = await ostrich('runs', 'compare', 'runs/one', 'runs/two', '--svg', 'both.svg')
    expect([code, out]).toEqual([0, 'both.svg: 2 runs\n'])
    const svg = await readFile(join(folder, 'both.svg'), 'utf8')
    for (const text of ['>mnist-mlp<', '>one<', '>two<', '>validation accuracy<']) expect(svg).toContain(text)
    expect(svg.match(/class="line run1"/g)!.length).toBeGreaterThanOrEqual(2)
    expect(svg.match(/class="dot run1"/g)).toHaveLength(2)
    expect(svg.match(/class="dot run0"/g)).toHaveLength(1)
  })

  it('removes runs that it is sure of, and nothing else', async () => {
    await train('--epochs', '1', '--folder', 'runs/three')
    expect((await ostrich('runs', 'remove', 'runs/three')).code).toBe(2)
    expect(await isThere('runs/three')).toBe(true)
    const mixed = await ostrich('runs', 'remove', 'runs/three', 'runs/notes', '--yes')
    expect([mixed.code, mixed.err]).toEqual([2, expect.stringContaining('expected the folder of a run')])
    expect([await isThere('runs/three'), await isThere('runs/notes')]).toEqual([true, true])
    expect((await ostrich('runs', 'remove', 'runs/three', '--yes')).out).toBe('removed runs/three\n')
    expect(await isThere('runs/three')).toBe(false)
  })

  it.for([
    [['runs', 'lsit'], /expected list, compare, remove, got lsit\. Did you mean list\?/],
    [['runs', 'list', 'runs'], /runs list: expected --in for another folder, got runs/],
    [['runs', 'compare'], /runs compare: expected the folders of runs, got none/],
    [['runs', 'compare', 'nowhere'], /expected the folder of a run \(config\.json and log\.jsonl\), got nowhere/],
    [
      ['runs', 'compare', 'runs/one', '--measure', 'acuracy'],
      /--measure expects accuracy, got acuracy\. Did you mean accuracy\?/,
    ],
  ] as const)('%j is a mistake', async ([args, message]) => {
    const { code, err } = await ostrich(...args)
    expect([code, err]).toEqual([2, expect.stringMatching(message)])
  })
})

describe('ostrich train --config', () => {
  it('does a run again, to the bit, but for what is said', async () => {
    expect((await ostrich('train', '--config', 'runs/one', '--folder', 'again', '--quiet')).code).toBe(0)
    const [before, after] = await Promise.all(
      ['runs/one', 'again'].map(
        async (run) => JSON.parse(await readFile(join(folder, run, 'config.json'), 'utf8')) as object,
      ),
    )
    expect(after).toEqual(before)
    const losses = async (run: string) =>
      Array.from(
        (await readFile(join(folder, run, 'log.jsonl'), 'utf8')).matchAll(/"loss":([\d.]+)/g),
        ([, loss]) => loss,
      )
    expect(await losses('again')).toEqual(await losses('runs/one'))
    const file = join('again', 'config.json')
    expect((await ostrich('train', '--config', file, '--seed', '6', '--folder', 'other', '--quiet')).code).toBe(0)
    expect(JSON.parse(await readFile(join(folder, 'other/config.json'), 'utf8'))).toMatchObject({ seed: 6, rate: 0.02 })
  })

  it.for([
    [['train', '--config', 'nowhere'], /--config expects the config\.json of a run, got ENOENT/],
    [['train', '--config', 'digits'], /--config expects the config\.json of a run, got ENOENT/],
    [['train', 'mnist', '--config', 'runs/one'], /--config expects the configuration of mnist, got one of mnist-mlp/],
    [['train', '--config', 'runs/one', '--resume', 'runs/one'], /expected one of them, got both/],
    [['train'], /train: expected <recipe>, got nothing/],
  ] as const)('%j is a mistake', async ([args, message]) => {
    const { code, err } = await ostrich(...args)
    expect([code, err]).toEqual([2, expect.stringMatching(message)])
  })
})
