// A step of word2vec, naively, in double precision: docs of native/program/FORMAT.md, word for word.
import { philox4x32 } from '../../lib/data/philox.js'
import { at, type NDArray, ndarray } from './ndarray.js'

export interface Word2vecAttrs {
  readonly [name: string]: string | number
  readonly model: string
  readonly window: number
  readonly longest: number
  readonly stream: number
}

interface Output {
  readonly row: number
  readonly label: number
}

const rowOf = (table: NDArray, row: number): number[] =>
  Array.from({ length: table.shape[1]! }, (_, k) => at(table, row, k))
const product = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, k) => sum + x * b[k]!, 0)
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** The four outputs of `word2vec`, or, without `negatives` among the attributes, of `word2vecTree`. */
export function word2vecOutputs(given: readonly NDArray[], attrs: Word2vecAttrs): NDArray[] {
  const [inputs, outputs] = given.slice(0, 2).map(({ shape, data }) => ndarray(shape, [...data])) as [NDArray, NDArray]
  const [, , tokens, kept, first, second, rate, seed, step] = given
  const isTree = !('negatives' in attrs)
  const draw = (place: number, group: number, i: number): number => {
    const counter = [place, group, attrs.stream, at(step!) >>> 0] as const
    return philox4x32(counter, [at(seed!, 0) >>> 0, at(seed!, 1) >>> 0], new Uint32Array(4))[i]!
  }
  const share = (word: number): number => (word >>> 8) * 2 ** -24
  const below = (word: number, n: number): number => Number((BigInt(word) * BigInt(n)) >> 32n)
  let [losses, scores] = [0, 0]

  function outputsOf(word: number, draws: () => number): Output[] {
    if (isTree) {
      const codes = Array.from({ length: at(first!, word + 1) - at(first!, word) }, (_, i) => {
        return at(second!, at(first!, word) + i)
      })
      return codes.map((code) => ({ row: code >> 1, label: 1 - (code & 1) }))
    }
    const found: Output[] = [{ row: word, label: 1 }]
    for (let i = 0; i < Number(attrs['negatives']); i++) {
      const place = below(draws(), inputs.shape[0]!)
      const row = share(draws()) < at(first!, place) ? place : at(second!, place)
      if (row !== word) found.push({ row, label: 0 })
    }
    return found
  }

  /** Every x meets every output; `change` takes what is added to x number i. */
  function meet(xs: readonly number[][], met: readonly Output[], change: (i: number, dx: readonly number[]) => void) {
    const steps = met.map(({ row, label }) => {
      return xs.map((x) => {
        const s = product(x, rowOf(outputs, row))
        losses += Math.log1p(Math.exp(-Math.abs(s))) + Math.max(s, 0) - label * s
        scores++
        const far = isTree ? 0 : label - (s < 0 ? 0 : 1)
        return at(rate!) * (Math.abs(s) > 6 ? far : label - sigmoid(s))
      })
    })
    const changes = xs.map((x) => x.map(() => 0))
    for (const [o, { row }] of met.entries()) {
      const y = rowOf(outputs, row)
      for (const [i, x] of xs.entries()) {
        for (const k of x.keys()) {
          changes[i]![k]! += steps[o]![i]! * y[k]!
          outputs.data[row * x.length + k]! += steps[o]![i]! * x[k]!
        }
      }
    }
    for (const [i, dx] of changes.entries()) change(i, dx)
  }

  const addTo = (row: number, dx: readonly number[]) => {
    for (const [k, d] of dx.entries()) inputs.data[row * dx.length + k]! += d
  }

  function sentence(words: readonly (readonly [word: number, place: number])[]): void {
    if (words.length < 2) return
    for (const [i, [word, place]] of words.entries()) {
      let used = 0
      const draws = (): number => draw(place, 1 + Math.floor(used / 4), used++ % 4)
      const reach = 1 + below(draws(), attrs.window)
      const met = outputsOf(word, draws)
      const around = words.filter((_, j) => j !== i && Math.abs(j - i) <= reach).map(([near]) => near)
      if (attrs.model === 'cbow') {
        const mean = Array.from({ length: inputs.shape[1]! }, (_, k) => {
          return around.reduce((sum, near) => sum + at(inputs, near, k), 0) / around.length
        })
        meet([mean], met, (_, dx) => {
          for (const near of around) addTo(near, dx)
        })
        continue
      }
      const groups = Math.ceil(around.length / 8)
      for (let group = 0; group < groups; group++) {
        const cut = (n: number) => Math.floor((around.length * n) / groups)
        const own = around.slice(cut(group), cut(group + 1))
        meet(
          own.map((near) => rowOf(inputs, near)),
          met,
          (n, dx) => {
            addTo(own[n]!, dx)
          },
        )
      }
    }
  }

  let open: [number, number][] = []
  for (let place = 0; place < tokens!.shape[0]!; place++) {
    const word = at(tokens!, place)
    if (word >= 0) {
      if (share(draw(Math.floor(place / 4), 0, place % 4)) >= at(kept!, word)) continue
      open.push([word, place])
      if (open.length < attrs.longest) continue
    }
    sentence(open)
    open = []
  }
  sentence(open)
  return [inputs, outputs, ndarray([], [losses]), ndarray([], [scores])]
}
