// What becomes of a field before the network or the loss takes it, as a checkpoint keeps it: enough to tell whether who loads the
// network prepares its fields as its training did. A preparation is a function, so its graph is compared, by its digest.
import { batched, type Fields } from '../data/index.js'
import { feed, printGraph, trace } from '../graph/index.js'
import { prepared } from './objective.js'
import type { Inputs } from './types.js'

/** Of one field. */
export interface Preparation {
  /** Its ops in their order, for people. */
  readonly ops: readonly string[]
  /** Of its graph, which holds its numbers too. */
  readonly digest: string
  /** Whether it is the one that a field has without a function of its own. */
  readonly default: boolean
}

/** By the name of the field. */
export type Preparations = Readonly<Record<string, Preparation>>

/**
 * What becomes of each field, in batches of so many examples.
 * @throws what the functions of `inputs` throw
 */
export async function preparations(inputs: Inputs, fields: Fields, batch: number): Promise<Preparations> {
  // Importing the library reads none of it.
  const { createHash } = await import('node:crypto')
  const read = Object.entries(fields).filter(([name]) => name !== 'fresh')
  return Object.fromEntries(
    read.map(([name, spec]): [string, Preparation] => {
      const graph = trace({ name: 'preparation' }, () => ({
        prepared: prepared(inputs, name, feed(name, spec.dtype, batched(spec, batch))),
      }))
      const digest = createHash('sha256').update(printGraph(graph)).digest('hex').slice(0, 32)
      return [name, { ops: graph.nodes.map(({ op }) => op.name), digest, default: inputs[name] === undefined }]
    }),
  )
}

/** Says of the first field that is not prepared as it was, what was expected and what came; undefined where all are. */
export function otherPreparation(saved: Preparations, own: Preparations): string | undefined {
  for (const [name, before] of Object.entries(saved)) {
    const now = own[name]
    if (now === undefined || before.digest === now.digest || (before.default && now.default)) continue
    const got = inWords(now) === inWords(before) ? 'the same ops with other numbers' : inWords(now)
    return `expected ${name} to be prepared as in its training (${inWords(before)}), got ${got}`
  }
  return undefined
}

function inWords({ ops, default: own }: Preparation): string {
  const list = ops.length === 0 ? 'taken as it comes' : ops.join(', ')
  return own ? `${list}, the default` : list
}
