// The command line as it is typed: exit codes, help and suggestions.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Profile } from '../../lib/train/index.js'
import { ostrich as command } from '../support/command-line.js'

let folder = ''
const ostrich = (...args: string[]) => command(folder, args)
const commands = [
  ...['train', 'eval', 'read', 'predict-video', 'generate', 'complete'],
  ...['translate', 'transcribe', 'ensemble', 'words'],
  ...['recipes', 'summary', 'profile', 'export', 'runs', 'completion', 'data', 'cuda', 'doctor', 'bench'],
  ...['tables', 'fool', 'lipschitz', 'lags'],
]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-cli-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe('help', () => {
  it('lists the commands', async () => {
    for (const args of [[], ['--help'], ['help']]) {
      const { code, out } = await ostrich(...args)
      expect(code).toBe(0)
      for (const name of commands) expect(out).toContain(`  ${name}`)
    }
  })

  it.for(commands)('%s explains itself', async (name) => {
    const { code, out } = await ostrich(name, '--help')
    expect(code).toBe(0)
    expect(out).toContain(`Usage: ostrich ${name}`)
    expect(out).toMatch(/Examples:\n {2}\S/)
  })
})

describe('mistakes', () => {
  it.for([
    [['trian'], 2, /unknown command trian\. Did you mean train\?/],
    [['train', 'mnits'], 2, /unknown recipe mnits\. Did you mean mnist\?/],
    [['train', 'mnist', '--epoch', '3'], 2, /unknown option --epoch\. Did you mean --epochs\?/],
    [['train'], 2, /expected <recipe>/],
    [['train', 'mnist', '--batch', '0'], 2, /--batch/],
    [['train', 'mnist', '--patience', '0', '--monitor', 'accuracy'], 2, /--patience expects at least 1, got 0/],
    [['summary', 'mnsit'], 2, /Did you mean mnist\?/],
    [['data', 'gte', 'mnist'], 2, /Did you mean get\?/],
    [['data', 'get', 'mnits'], 2, /Did you mean mnist\?/],
    [['eval', 'nowhere.safetensors'], 1, /nowhere\.safetensors: expected a readable file/],
  ] as const)('%j', async ([args, code, message]) => {
    const ended = await ostrich(...args)
    expect(ended.code).toBe(code)
    expect(ended.err).toMatch(message)
    expect(ended.err).not.toMatch(/^ {4}at /m)
  })
})

describe('what is known', () => {
  it('recipes', async () => {
    const { out } = await ostrich('recipes', '--json')
    const names = (JSON.parse(out) as { name: string }[]).map(({ name }) => name)
    expect(names).toEqual([
      ...['mnist', 'mnist-mlp', 'cifar10', 'cifar10-local', 'cifar10-resnet', 'alexnet', 'alexnet-one-tower'],
      ...['ptb-small', 'ptb-medium', 'ptb-large', 'ptb-awd', 'shakespeare', 'shakespeare-mrnn', 'tag-brown'],
      ...['translate-lstm', 'translate-lstm-forward', 'translate-attention', 'translate-transformer'],
      ...['digits', 'yesno', 'an4', 'an4-words', 'timit'],
      ...['house-numbers', 'house-numbers-strips', 'house-numbers-transfer'],
      ...['moving-mnist-small', 'moving-mnist-convlstm', 'moving-mnist-lstm'],
      ...['fc10-1e-4', 'fc10-1e-2', 'fc10-1', 'fc100-100-10', 'fc200-200-10', 'fc123-456-10', 'ae400-10'],
      ...['mnist-maxout', 'mnist-maxout-fgsm'],
    ])
  })

  it('the layers of a network', async () => {
    const { out } = await ostrich('summary', 'mnist')
    expect(out).toMatch(/lenet\/conv1 +\[1, 32, 28, 28\] +832 +627,200/)
    expect(out).toMatch(/total +3,274,634/)
    expect(out).toMatch(/convolutions +52,096 +1\.59 % +10,662,400 +76\.80 %/)
    expect(out).toMatch(/fully connected +3,222,538 +98\.41 % +3,221,504 +23\.20 %/)
  })

  it('where the time of a step goes', async () => {
    const { code, out } = await ostrich('profile', 'mnist', '--batch', '8', '--runs', '2', '--device', 'cpu', '--json')
    expect(code).toBe(0)
    const { rows, split, ms } = JSON.parse(out) as Profile
    const kinds = (path: string) => rows.filter((row) => row.path === path).map(({ kind }) => kind)
    expect(kinds('lenet/conv2')).toEqual(expect.arrayContaining(['convolution', 'update']))
    expect(kinds('lenet/linear1')).toEqual(expect.arrayContaining(['fully connected', 'update']))
    expect(new Set(kinds('lenet/pool1'))).toEqual(new Set(['rest']))
    const total = Object.values(split).reduce((sum, one) => sum + one, 0)
    expect(total).toBeCloseTo(ms, 6)
    expect(Math.min(...Object.values(split))).toBeGreaterThan(0)
  })

  it('where the updates of a step in bf16 lie: in the parameters', async () => {
    const { out } = await ostrich(...'profile mnist --batch 8 --runs 1 --device cpu --precision bf16 --json'.split(' '))
    const { rows } = JSON.parse(out) as Profile
    const updates = rows.filter(({ kind, path }) => kind === 'update' && path === 'lenet/linear1/w')
    expect(updates).toHaveLength(1)
  })

  it('where the time of a step goes whose target is a film', { timeout: 60_000 }, async () => {
    const { code, out, err } = await ostrich(
      ...'profile moving-mnist-small --batch 1 --runs 1 --device cpu --json'.split(' '),
    )
    expect(code, err).toBe(0)
    expect((JSON.parse(out) as Profile).split.convolution).toBeGreaterThan(0)
  })

  it('this machine', async () => {
    const { code, out } = await ostrich('doctor', '--json')
    expect(code).toBe(0)
    const found = JSON.parse(out) as {
      cores: number
      selfTest: { passed: boolean }
      threadSpeeds?: { threads: number; one: number; all: number }
      backends: { name: string; available: boolean; reason?: string }[]
    }
    expect(found.selfTest.passed).toBe(true)
    if (found.cores > 1) expect(Math.min(...Object.values(found.threadSpeeds ?? { none: 0 }))).toBeGreaterThan(0)
    expect(found.backends.find(({ name }) => name === 'cpu')?.available).toBe(true)
    expect(found.backends.filter(({ available }) => !available).every(({ reason }) => (reason ?? '') !== '')).toBe(true)
  })
})
