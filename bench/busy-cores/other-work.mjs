// node other-work.mjs ON OFF: uses a core for ON milliseconds, sleeps for OFF, and so on, until it is ended. Says so once it is at work.
import { setTimeout } from 'node:timers/promises'

const [on, off] = process.argv.slice(2).map(Number)
process.stdout.write('{}\n')
for (let sum = 1; ;) {
  const { user, system } = process.cpuUsage()
  for (;;) {
    const used = process.cpuUsage({ user, system })
    if (used.user + used.system >= on * 1000) break
    for (let i = 0; i < 1000; i++) sum = Math.sqrt(sum + i)
  }
  if (off > 0) await setTimeout(off)
}
