// A map between two languages that teaches itself: words that are each other's nearest become its dictionary, and it is learned anew (Conneau et
// al. 2017, arXiv:1710.04087, 2.2: "refinement").
import { expectOptions, is, type Schema } from '../../base/index.js'
import { DataError } from '../../data/index.js'
import { meansOf, withHubs, withOnes } from './csls.js'
import type { Translation } from './dictionary.js'
import { searchOptions } from './evaluate.js'
import { type SearchPlace, VectorSearch } from './search.js'
import { tableOf, toLengthOne } from './table.js'
import { learnVectorMap, type VectorMap, type WordSpace } from './vector-map.js'

/** Options of `refineVectorMap`. */
export interface RefineOptions extends SearchPlace {
  /** How often it is learned anew. Default: 5. */
  readonly rounds?: number
  /** First words of either language that may be in the dictionary; the most frequent. Default: 10,000. */
  readonly words?: number
  /** Words of the other language that are a word's neighbours in CSLS. Default: 10. */
  readonly neighbours?: number
}

const { limit: _, ...place } = searchOptions
const schema: Schema<RefineOptions> = {
  ...place,
  rounds: is.whole(1),
  words: is.whole(1),
  neighbours: is.whole(1),
}

/**
 * Learns a map anew from the words that are each other's nearest by CSLS, some rounds of it, with the options it was learned with.
 * @param map that `learnVectorMap` gave for the two
 * @throws OstrichError `ERR_OPTION`; `ERR_NO_DEVICE`; DataError where fewer words are each other's nearest than a vector has numbers
 * @see Conneau et al. 2017, arXiv:1710.04087, 2.2
 * @example const better = await train.refineVectorMap(map, english, spanish, { rounds: 5 })
 */
export async function refineVectorMap(
  map: VectorMap,
  source: WordSpace,
  target: WordSpace,
  options: RefineOptions = {},
): Promise<VectorMap> {
  expectOptions('refineVectorMap', options, schema)
  const { rounds = 5 } = options
  let better = map
  for (let round = 1; round <= rounds; round++) {
    const pairs = await mutual(better, source, target, options)
    if (pairs.length < target.dimension) {
      const expected = `expected ${target.dimension} words or more that are each other's nearest`
      throw new DataError(`refineVectorMap: ${expected}, as many as numbers of a vector, got ${pairs.length}`)
    }
    better = learnVectorMap(source, target, pairs, map.options)
  }
  return better
}

/** The words that are each other's nearest by CSLS. */
async function mutual(
  map: VectorMap,
  source: WordSpace,
  target: WordSpace,
  { words = 10_000, neighbours = 10, rounds: _rounds, ...where }: RefineOptions,
): Promise<readonly Translation[]> {
  const width = target.dimension
  const [sources, targets] = [source.words.slice(0, words), target.words.slice(0, words)]
  const x = toLengthOne(map.mapped([...sources.keys()]), width)
  const y = toLengthOne(map.targets.slice(0, targets.length * width), width)
  const tables = [tableOf({ words: sources, vectors: x }), tableOf({ words: targets, vectors: y })] as const
  const near = Math.min(neighbours, sources.length, targets.length)
  const nearest = async (table: (typeof tables)[number], queries: Float32Array, most: number, csls: boolean) => {
    await using search = await VectorSearch.open(table, where, csls ? 'taken as they are' : 'taken to length 1')
    return await search.nearest(queries, most)
  }
  const hubsOfX = meansOf((await nearest(tables[1], x, near, false)).scores, near)
  const hubsOfY = meansOf((await nearest(tables[0], y, near, false)).scores, near)
  const { places: there } = await nearest(withHubs(tables[1], hubsOfY), withOnes(x, width), 1, true)
  const { places: back } = await nearest(withHubs(tables[0], hubsOfX), withOnes(y, width), 1, true)
  return sources.flatMap((word, i) => (back[there[i]!] === i ? [[word, targets[there[i]!]!] as const] : []))
}
