// Runs a numbered task for each place, a few at once: the way to keep decoders and disks busy without a queue of thousands.

/**
 * Calls `task(0)` ... `task(count - 1)` in order with at most `most` under way. The first failure is thrown after those under
 * way have ended; no further one is started.
 */
export async function inParallel(count: number, most: number, task: (i: number) => Promise<void>): Promise<void> {
  let next = 0
  const failures: unknown[] = []
  const work = async (): Promise<void> => {
    while (next < count && failures.length === 0) {
      try {
        await task(next++)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(most, count) }, work))
  if (failures.length > 0) throw failures[0]
}
