// What the benchmarks of training steps beside a peer share: a time over all batches on our side, and losses that must be the same on both.

/** Relative differences of losses: of other orders of summing, and of rounding to 8 bits in other places. */
const tolerance = { f32: 1e-4, bf16: 2e-2 }

/** Takes a step on each batch whenever it is called, with two in flight, as in the training loop. */
export function passOver(trainer, batches) {
  let step = 0
  return async () => {
    const [losses, flights] = [[], []]
    const start = performance.now()
    for (const one of batches) {
      flights.push(trainer.start(one, step++))
      if (flights.length === 2) losses.push(await flights.shift())
    }
    losses.push(...(await Promise.all(flights)))
    return { seconds: (performance.now() - start) / 1e3, losses }
  }
}

/** The losses of a first time over the batches must be these: they show network, gradients and update alike. */
export function expectSame(name, precision, expected, found) {
  for (const [who, { losses }] of found) {
    const apart = losses.map((loss, k) => Math.abs(loss / expected[k] - 1))
    const most = apart.reduce((a, b) => Math.max(a, b), 0)
    const fall = `${losses.length} losses from ${losses[0].toFixed(2)} to ${losses.at(-1).toFixed(2)}`
    process.stdout.write(`${name} ${precision} ${who}: ${fall}, apart ${most.toExponential(1)}\n`)
    if (losses.length === expected.length && most <= tolerance[precision]) continue
    throw new Error(`${name}: expected ${expected.join(' ')}, got ${losses.join(' ')}`)
  }
}

/** What all sides give in so many rounds, in turn. */
export async function inRounds(sides, rounds, note) {
  const found = sides.map(() => [])
  for (let round = 0; round < rounds; round++) {
    note(`round ${round + 1} of ${rounds}`)
    for (const [i, side] of sides.entries()) found[i].push(await side.turn())
  }
  return found
}
