// Several trained networks in one model, side by side on one device: each has its weights from a file of its own.
import { expectKind, expectOptions, is, OstrichError } from '../base/index.js'
import { scope } from '../graph/index.js'
import { aFunction } from '../train/options.js'
import type { Network } from '../train/types.js'
import { meanProbability, member } from './ensemble.js'
import { type LoadOptions, type Model, opened, type Part } from './model.js'

/** A network and its weights. */
export interface EnsembleMember {
  /** A checkpoint, or any safetensors file with the same names. */
  readonly path: string
  /** Made for this file alone: two checkpoints of one network are two networks of the same making. */
  readonly net: Network
}

const many = is.kind('a list of { path, net }', (value) => Array.isArray(value) && value.length > 0)

/**
 * Loads several networks as one model, which answers the logarithm of the mean of their probabilities. Paths of weights begin with `member1/`,
 * `member2/` and so on. Its `info` is that of the first.
 * @throws OstrichError `ERR_OPTION`, also for one network given twice; what `load` throws; CheckpointError for files whose field x, classes,
 *   vocabularies or tokenizers differ; ShapeError for outputs of other extents
 * @example
 * const model = await train.loadEnsemble([{ path: 'a.safetensors', net: lenet() }, { path: 'b.safetensors', net: lenet() }])
 * const scores = await model.predict(images)
 */
export async function loadEnsemble(members: readonly EnsembleMember[], options: LoadOptions = {}): Promise<Model> {
  expectKind('loadEnsemble', 'members', many, members)
  for (const [i, one] of members.entries()) {
    expectOptions(`loadEnsemble[${i}]`, one, { path: is.needed(is.text), net: is.needed(aFunction) })
    if (members.findIndex(({ net }) => net === one.net) === i) continue
    const got = 'one for two files: make it once for each'
    throw new OstrichError(
      'ERR_OPTION',
      `loadEnsemble[${i}.net]: expected a network of its own for each file, got ${got}`,
    )
  }
  const parts = members.map(({ path, net }, i): Part => {
    const owner = {}
    return { path, net: (x) => scope(owner, 'member', member(i), () => net(x)), owner: `${member(i)}/` }
  })
  const net: Network = (x) => meanProbability(parts.map((part) => part.net(x)))
  return opened('loadEnsemble', parts as [Part, ...Part[]], net, options)
}
