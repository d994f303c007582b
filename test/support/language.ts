// The language model of lib/models/lstm-lm.ts in plain float64, one token at a time: what programs are held to.

type Parameters = Readonly<Record<string, ArrayLike<number>>>

/** exp of the mean of -log p over all tokens but the first, each after all before it, from a state of zeros. */
export function perplexityOf(parameters: Parameters, tokens: Int32Array): number {
  const model = new Reference(parameters)
  let total = 0
  for (let t = 0; t + 1 < tokens.length; t++) total -= model.next(tokens[t]!)[tokens[t + 1]!]!
  return Math.exp(total / (tokens.length - 1))
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** One stream. */
export class Reference {
  readonly #parameters: Parameters
  readonly #states: { h: Float64Array; c: Float64Array }[] = []

  constructor(parameters: Parameters) {
    this.#parameters = parameters
    for (let layer = 1; `lm/lstm${layer}/u` in parameters; layer++) {
      const units = this.#of(`lstm${layer}/b`).length / 4
      this.#states.push({ h: new Float64Array(units), c: new Float64Array(units) })
    }
  }

  #of(name: string): ArrayLike<number> {
    return this.#parameters[`lm/${name}`]!
  }

  /** Reads a token; log-probabilities of the next. */
  next(token: number): Float64Array {
    const table = this.#of('embedding1/w')
    const bias = this.#of('linear1/b')
    const features = this.#of('lstm1/w').length / this.#of('lstm1/b').length
    let x = Float64Array.from({ length: features }, (_, i) => table[token * features + i]!)
    for (const [i, state] of this.#states.entries()) x = this.#layer(`lstm${i + 1}`, x, state)
    const w = this.#of('linear1/w')
    const logits = Float64Array.from(bias, (b, k) => x.reduce((sum, v, i) => sum + v * w[k * x.length + i]!, b))
    const most = Math.max(...logits)
    const scale = most + Math.log(logits.reduce((sum, one) => sum + Math.exp(one - most), 0))
    return logits.map((one) => one - scale)
  }

  #layer(name: string, x: Float64Array, state: { h: Float64Array; c: Float64Array }): Float64Array<ArrayBuffer> {
    const [w, u, b, br] = ['w', 'u', 'b', 'br'].map((one) => this.#of(`${name}/${one}`))
    const { h, c } = state
    const units = h.length
    const z = Float64Array.from({ length: 4 * units }, (_, j) => {
      let sum = b![j]! + (br?.[j] ?? 0)
      for (let i = 0; i < x.length; i++) sum += x[i]! * w![j * x.length + i]!
      for (let i = 0; i < units; i++) sum += h[i]! * u![i * 4 * units + j]!
      return sum
    })
    const next = { h: new Float64Array(units), c: new Float64Array(units) }
    for (let i = 0; i < units; i++) {
      next.c[i] = sigmoid(z[units + i]!) * c[i]! + sigmoid(z[i]!) * Math.tanh(z[2 * units + i]!)
      next.h[i] = sigmoid(z[3 * units + i]!) * Math.tanh(next.c[i]!)
    }
    Object.assign(state, next)
    return Float64Array.from(next.h)
  }
}
