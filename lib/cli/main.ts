#!/usr/bin/env node
// The command line: finds the command, runs it, turns what went wrong into one line and an exit code (2: what was typed;
// 1: anything else). Nothing but this room writes to the terminal or reads its arguments.
import { readFile } from 'node:fs/promises'
import { suggestion } from '../base/index.js'
import { bench } from './bench.js'
import { check } from './check.js'
import { type Command, type Output, UsageError } from './command.js'
import { complete } from './complete.js'
import { completionOf } from './completion.js'
import { cuda } from './cuda.js'
import { data } from './data.js'
import { doctor } from './doctor.js'
import { ensemble } from './ensemble.js'
import { evaluate } from './eval.js'
import { exportCommand } from './export.js'
import { fool } from './fool.js'
import { generate } from './generate.js'
import { lags } from './lags.js'
import { lipschitz } from './lipschitz.js'
import { predict } from './predict.js'
import { profile } from './profile.js'
import { read } from './read.js'
import { list } from './recipes.js'
import { runs } from './runs.js'
import { summary } from './summary.js'
import { tables } from './tables.js'
import { train } from './train.js'
import { predictVideo } from './predict-video.js'
import { transcribe } from './transcribe.js'
import { translate } from './translate.js'
import { words } from './words.js'

const all: readonly Command[] = [
  ...[train, evaluate, predict, read, predictVideo, generate, complete, translate, transcribe, words, ensemble],
  ...[runs, list, summary, profile, exportCommand, data, cuda, check, doctor, bench],
  ...[tables, fool, lipschitz, lags],
]
const commands = [...all, completionOf(all)]

function overview(): string {
  const width = Math.max(...commands.map(({ name }) => name.length))
  return [
    'ostrich trains neural networks.\n',
    'Usage: ostrich <command> [arguments] [options]\n',
    'Commands:',
    ...commands.map(({ name, summary: text }) => `  ${name.padEnd(width)}  ${text}`),
    '\nStart with:',
    '  ostrich train mnist        a network learns to read digits, in about a minute',
    '  ostrich train --help       every command explains itself',
    '  ostrich --version          which one this is',
  ].join('\n')
}

async function main([name, ...args]: readonly string[], output: Output): Promise<number> {
  if (name === '--version' || name === '-V') {
    const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
    output.line((JSON.parse(text) as { version: string }).version)
    return 0
  }
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    output.line(overview())
    return 0
  }
  const found = commands.find((command) => command.name === name)
  if (found === undefined) {
    const known = commands.map((command) => command.name)
    throw new UsageError(`unknown command ${name}.${suggestion(name, known)} See: ostrich --help`)
  }
  return found.run(args, output)
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : ''
  return `${error.message}${code}`
}

const output: Output = {
  line: (text) => process.stdout.write(`${text}\n`),
  note: (text) => process.stderr.write(`${text}\n`),
}

// A reader that closes early (`ostrich recipes | head -1`) ends the program quietly.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  // A terminal that was closed takes no more; what runs is still to be saved.
  if (error.code !== 'EIO') throw error
})
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
})

try {
  process.exitCode = await main(process.argv.slice(2), output)
} catch (error) {
  output.note(`ostrich: ${explain(error)}`)
  if (process.env['OSTRICH_DEBUG'] !== undefined && error instanceof Error) output.note(error.stack ?? '')
  process.exitCode = error instanceof UsageError ? 2 : 1
}
