// ostrich bench titan: AlexNet's training rate on this machine beside "~5 days on a GTX Titan". Each rate is measured in a
// process of its own, so that its memory is its own; a table, titan.json and titan.svg come of it.
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packedImages } from '../data/index.js'
import { diagnose } from '../runtime/index.js'
import { recipes } from '../recipes/index.js'
import type { Profile } from '../train/index.js'
import { named, type Output, UsageError } from './command.js'
import { countOf } from './reading.js'
import { alignedLines, shareOf } from '../report/index.js'
import { ninetyEpochs, titanRate } from './titan-history.js'
import { measureTitan, type TitanData, type TitanRate } from './titan-measure.js'
import { titanPicture } from './titan-picture.js'

/** What a person may choose. */
export interface TitanChoice {
  readonly network: string
  readonly batch: number
  readonly steps: number
  readonly device: string
  readonly threads: number
  /** `bf16/synthetic`: that one alone, in this process. */
  readonly only?: string
  /** Of packed images. */
  readonly data?: string
  /** Folder for titan.json and titan.svg. */
  readonly out: string
  readonly json: boolean
}

const modes: readonly TitanData[] = ['synthetic', 'packed', 'jpeg']

/** Noise, and what lies in the folder of packed images. */
async function modesOf(folder: string | undefined): Promise<readonly TitanData[]> {
  if (folder === undefined) return ['synthetic']
  const packed = await packedImages(folder)
  await packed.close()
  return ['synthetic', packed.encoding === 'jpeg' ? 'jpeg' : 'packed']
}

/** Measures, prints, writes; resolves to the exit code. */
export async function titan(choice: TitanChoice, output: Output): Promise<number> {
  if (choice.only !== undefined) {
    output.line(JSON.stringify(await one(choice, choice.only)))
    return 0
  }
  const rates: TitanRate[] = []
  for (const precision of precisionsOf(choice.device)) {
    for (const data of await modesOf(choice.data)) {
      output.note(`measuring ${choice.network} in ${precision} on ${data} images`)
      rates.push(await inChild<TitanRate>(['bench', 'titan', '--only', `${precision}/${data}`], choice))
    }
  }
  const best = rates.reduce((a, b) => (b.rate > a.rate ? b : a))
  output.note(`measuring where the time goes in ${best.precision}`)
  const profile = await inChild<Profile>(['profile', choice.network, '--precision', best.precision], choice)
  const machine = machineOf(best, profile)
  const result = {
    network: choice.network,
    machine,
    versions: diagnose().versions,
    titanRate,
    rates,
    split: profile.split,
  }
  await mkdir(choice.out, { recursive: true })
  const bars = rates.map(({ precision, data, rate }) => ({ label: `${precision}, ${data} images`, rate }))
  await writeFile(join(choice.out, 'titan.svg'), titanPicture(machine, bars))
  await writeFile(join(choice.out, 'titan.json'), `${JSON.stringify(result, undefined, 2)}\n`)
  if (choice.json) output.line(JSON.stringify(result, undefined, 2))
  else for (const line of describe(choice, machine, rates, profile)) output.line(line)
  output.note(`written to ${join(choice.out, 'titan.svg')} and titan.json`)
  return 0
}

function one(choice: TitanChoice, only: string): Promise<TitanRate> {
  const [precision, data] = only.split('/')
  const known = modes.find((mode) => mode === data)
  if (known === undefined || !['f32', 'tf32', 'bf16'].includes(precision ?? '')) {
    throw new UsageError(`--only expects a precision and a kind of images such as f32/synthetic, got ${only}`)
  }
  return measureTitan({
    recipe: named('recipe', choice.network, recipes),
    data: known,
    batch: choice.batch,
    steps: choice.steps,
    precision: precision as 'f32',
    device: choice.device as 'auto',
    threads: choice.threads,
    folder: choice.data,
  })
}

/** f32 everywhere, tf32 on CUDA, bf16 where the processor computes in it. */
function precisionsOf(device: string): readonly string[] {
  const { backends, isa } = diagnose()
  const cuda = device !== 'cpu' && backends.some(({ name, available }) => name === 'cuda' && available)
  if (cuda) return ['f32', 'tf32', 'bf16']
  return isa.some((name) => /bf16|amx/.test(name)) ? ['f32', 'bf16'] : ['f32']
}

/** Runs this command line again with other arguments and reads the JSON that it prints. */
function inChild<T>(
  args: readonly string[],
  { network, batch, steps, device, threads, data }: TitanChoice,
): Promise<T> {
  const shared = ['--batch', batch.toString(), '--device', device, '--threads', threads.toString(), '--json']
  const own = args[0] === 'profile' ? [] : ['--network', network, '--steps', steps.toString()]
  const folder = data === undefined || args[0] === 'profile' ? [] : ['--data', data]
  const all = [process.argv[1]!, ...args, ...shared, ...own, ...folder]
  return new Promise((resolve, reject) => {
    execFile(process.execPath, all, { maxBuffer: 1 << 26 }, (error, out, err) => {
      if (error === null) resolve(JSON.parse(out) as T)
      else reject(new Error(`${args.join(' ')}: ${err.trim() || error.message}`))
    })
  })
}

function machineOf({ device, batch }: TitanRate, { device: facts }: Profile): string {
  const threads = facts['threads'] === undefined ? '' : `, ${countOf(Number(facts['threads']), 'thread')}`
  return `${device['name'] ?? 'unknown'} (${device['isa'] ?? device['backend'] ?? 'unknown'})${threads}, batch ${batch}`
}

function describe(choice: TitanChoice, machine: string, rates: readonly TitanRate[], { split, ms }: Profile): string[] {
  const both = split.convolution + split['fully connected']
  return [
    `${choice.network} on ${machine}`,
    '',
    ...alignedLines(
      [
        ['precision', 'images', 'images/s', 'of the Titan’s 267', '90 epochs', 'peak memory'],
        ...rates.map(({ precision, data, rate, memory }) => [
          precision,
          data,
          rate.toFixed(1),
          `${(rate / titanRate).toFixed(2)}x`,
          ninetyEpochs(rate),
          `${memory.toFixed(0)} MiB`,
        ]),
      ],
      2,
    ),
    '',
    `time: convolutions ${shareOf(split.convolution, ms)}, fully connected ${shareOf(split['fully connected'], ms)}, ` +
      `update ${shareOf(split.update, ms)}, rest ${shareOf(split.rest, ms)}`,
    `of convolutions and fully connected alone: ${shareOf(split.convolution, both)} and ${shareOf(split['fully connected'], both)}`,
    ...(choice.data === undefined
      ? ['Images from a disk are measured with --data <folder that ostrich data pack wrote>.']
      : []),
  ]
}
