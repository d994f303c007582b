// ostrich profile: where the time of a recipe's training step goes, measured on this machine with made-up inputs.
import { recipes } from '../recipes/index.js'
import { alignedLines, createProgress, shareOf } from '../report/index.js'
import { profile as measure, type Profile, type ProfileKind } from '../train/index.js'
import { command, named } from './command.js'
import { deviceOption } from './device-option.js'

export const profile = command({
  name: 'profile',
  summary: 'measure where the time of a training step goes',
  arguments: ['<recipe>'],
  first: recipes.map(({ name }) => name),
  about: [
    'Times every step of the training program on random inputs and prints the split between convolutions, fully connected',
    'layers, parameter updates and the rest; no data is needed. The medians are over the runs.',
  ].join('\n'),
  options: {
    batch: { type: 'whole', help: 'examples per step (default: of the recipe)' },
    runs: { type: 'whole', help: 'steps of which the medians count (default 10)' },
    precision: { type: 'text', choices: ['auto', 'f32', 'tf32', 'bf16'], help: 'default auto' },
    device: deviceOption,
    threads: { type: 'whole', help: 'threads of the CPU (default 0: all cores)' },
    json: { type: 'flag', help: 'print JSON' },
  },
  examples: ['ostrich profile alexnet', 'ostrich profile alexnet-one-tower --batch 64 --precision f32'],
  run: async ({ batch, runs, precision, device, threads, json }, [name = ''], output) => {
    const plan = named('recipe', name, recipes).build(batch === undefined ? {} : { batch })
    const { net, loss, objective, optimizer, example, inputs } = plan
    const progress = createProgress({ stream: process.stderr })
    const made = await measure(net, {
      ...{ loss, optimizer, batch: plan.batch, example },
      ...(objective && { objective }),
      ...(plan.fields && { fields: plan.fields }),
      ...(inputs && { inputs }),
      ...(runs !== undefined && { runs }),
      ...(precision !== undefined && { precision: precision as 'auto' }),
      ...(device !== undefined && { device: device as 'auto' }),
      ...(threads !== undefined && { threads }),
      onRun: (step, steps) => {
        progress.update({ epoch: 1, epochs: 1, step, steps, batch: plan.batch })
      },
    }).finally(() => {
      progress.finish()
    })
    if (json === true) output.line(JSON.stringify(made, undefined, 2))
    else for (const line of describe(made)) output.line(line)
    return 0
  },
})

const order: readonly ProfileKind[] = ['convolution', 'fully connected', 'update', 'rest']

function describe({ rows, batch, precision, device, ms, split, arenaBytes, stateBytes }: Profile): string[] {
  const both = split.convolution + split['fully connected']
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`
  return [
    `${device['name'] ?? 'unknown'} (${device['isa'] ?? device['backend'] ?? 'unknown'}), ${precision}, batch ${batch}`,
    '',
    ...alignedLines(
      [
        ['layer', 'op', 'implementation', 'ms', 'share'],
        ...rows.map((row) => [row.path, row.op, row.detail, row.ms.toFixed(2), shareOf(row.ms, ms)]),
      ],
      3,
    ),
    '',
    ...alignedLines(
      [
        ['', 'ms', 'of the step', 'of convolutions and fully connected'],
        ...order.map((kind) => [
          kind,
          split[kind].toFixed(2),
          shareOf(split[kind], ms),
          kind === 'convolution' || kind === 'fully connected' ? shareOf(split[kind], both) : '-',
        ]),
        ['step', ms.toFixed(2), '', ''],
      ],
      1,
    ),
    '',
    `${((1000 * batch) / ms).toFixed(1)} examples/s; ${mib(stateBytes)} of parameters and optimiser state, ${mib(arenaBytes)} of everything else`,
  ]
}
