// How arguments are read: values by kind, mistakes with the nearest known word, help for everybody.
import { describe, expect, it } from 'vitest'
import { command, named, UsageError } from '../../../lib/cli/command.js'
import { deviceOption } from '../../../lib/cli/device-option.js'
import { openDevice } from '../../../lib/runtime/index.js'
import { session } from '../../../lib/train/index.js'

const seen: unknown[] = []
const cook = command({
  name: 'cook',
  summary: 'cook a dish',
  arguments: ['<dish>', '[guest]'],
  about: 'Cooks.',
  options: {
    hours: { type: 'whole', help: 'how long' },
    salt: { type: 'number', help: 'how much' },
    style: { type: 'text', choices: ['boiled', 'fried'], help: 'how' },
    quiet: { type: 'flag', help: 'no noise' },
    books: { type: 'paths', value: 'book', help: 'one recipe, or two' },
  },
  examples: ['ostrich cook egg'],
  run: (values, positionals) => {
    seen.push(values, positionals)
    return Promise.resolve(7)
  },
})

async function run(...args: string[]): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = []
  const output = { line: (text: string) => lines.push(text), note: () => undefined }
  return { code: await cook.run(args, output), lines }
}

describe('a command', () => {
  it('gets its values typed, and gives its exit code', async () => {
    seen.length = 0
    expect((await run('egg', '--hours', '2', '--salt=0.5', '--style', 'fried', '--quiet')).code).toBe(7)
    expect(seen).toEqual([{ hours: 2, salt: 0.5, style: 'fried', quiet: true }, ['egg']])
  })

  it.for([
    [['egg', '--books', 'a'], ['a'], ['egg']],
    [
      ['egg', 'anna', '--books', 'a', 'b'],
      ['a', 'b'],
      ['egg', 'anna'],
    ],
    [
      ['--books', 'a', 'b', 'egg', 'anna'],
      ['a', 'b'],
      ['egg', 'anna'],
    ],
    // Nothing is missing with one book, and a guest may come.
    [['--books', 'a', 'egg'], ['a'], ['egg']],
    [['--books', 'a', 'egg', 'anna'], ['a'], ['egg', 'anna']],
  ] as const)('takes one path or two: %j', async ([args, books, positionals]) => {
    seen.length = 0
    await run(...args)
    expect(seen).toEqual([{ books }, positionals])
  })

  it('explains itself with every option', async () => {
    const { code, lines } = await run('--help')
    expect(code).toBe(0)
    for (const word of [
      'cook <dish> [guest]',
      '--hours',
      '--salt',
      '--style <boiled|fried>',
      '--quiet',
      'ostrich cook egg',
    ]) {
      expect(lines.join('\n')).toContain(word)
    }
  })

  it.for([
    [['egg', '--hour', '2'], /unknown option --hour\. Did you mean --hours\?/],
    [['egg', '--hours', 'two'], /--hours expects a whole number, got two/],
    [['egg', '--hours', '1.5'], /whole number/],
    [['egg', '--hours', '-1'], /--hours expects/],
    [['egg', '--hours'], /--hours expects a value/],
    [['egg', '--salt', '0'], /number above 0/],
    [['egg', '--style', 'fryed'], /Did you mean fried\?/],
    [['egg', '--quiet=yes'], /takes no value/],
    [[], /expected <dish> \[guest\], got nothing/],
    [['egg', 'ann', 'bob'], /expected <dish> \[guest\]/],
  ] as const)('refuses %j', async ([args, message]) => {
    const failure: unknown = await run(...args).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(UsageError)
    expect((failure as Error).message).toMatch(message)
  })
})

describe('--device', () => {
  const given = async (device: string): Promise<unknown> => {
    let got: unknown
    const run = command({
      ...{ name: 'go', summary: 'go', arguments: [], about: 'Goes.', examples: [] },
      options: { device: deviceOption },
      run: (values) => Promise.resolve(((got = values.device), 0)),
    })
    await run.run(['--device', device], { line: () => undefined, note: () => undefined })
    return got
  }

  it.for(['auto', 'cpu', 'cuda', 'cuda:0', 'cuda:12'])('takes %s', async (device) => {
    expect(await given(device)).toBe(device)
  })

  it.for(['gpu', 'cuda:', 'cuda:x', 'cuda:1000', 'cuda:-1', 'cuda:1.5', ' cuda', 'cpu:0'])(
    'refuses %s',
    async (device) => {
      const words = `expected auto, cpu, cuda or cuda:1, got`
      await expect(given(device)).rejects.toThrow(`--device expects auto, cpu, cuda or cuda:1, got ${device}.`)
      const options = { device: device as 'cpu' }
      const shown = `[device]: ${words} ${JSON.stringify(device)}`
      await expect(session((() => undefined) as never, options as never)).rejects.toThrow(`session${shown}`)
      await expect(openDevice(options)).rejects.toThrow(`openDevice${shown}`)
    },
  )
})

it('finds an entry by name, or says which is near', () => {
  const known = [{ name: 'mnist' }, { name: 'cifar' }]
  expect(named('recipe', 'cifar', known)).toBe(known[1])
  expect(() => named('recipe', 'mnits', known)).toThrow('unknown recipe mnits. Did you mean mnist? Known: mnist, cifar')
})
