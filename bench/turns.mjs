// Processes that take turns in being measured: each is started once, says by a line of JSON that it is ready, and answers a line by a line. One
// works at a time, in rounds, so that a noisy minute hits all; what takes long to make ready (programs, torch.compile) is made once.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** Starts a process; settles when it is ready. */
export async function started(command, args) {
  const child = spawn(command, args, { stdio: 'pipe' })
  let said = ''
  child.stderr.on('data', (piece) => (said = `${said}${piece}`.slice(-4000)))
  const ended = new Promise((resolve) => child.once('close', resolve))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async () => {
    for (;;) {
      const { value, done } = await lines.next()
      if (done) throw new Error(`${args.join(' ')}: ended with ${await ended}\n${said}`)
      if (value.startsWith('{')) return JSON.parse(value)
    }
  }
  return {
    ready: await answer(),
    turn: (asked = {}) => {
      child.stdin.write(`${JSON.stringify(asked)}\n`)
      return answer()
    },
    end: async () => {
      child.stdin.end()
      await ended
    },
    /** Of one that answers nobody. */
    stop: async () => {
      child.kill()
      await ended
    },
  }
}

/** The other side: says that it is ready, and answers until nobody asks any more. */
export async function takeTurns(ready, turn) {
  const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`)
  say(ready)
  for await (const line of createInterface({ input: process.stdin })) say(await turn(JSON.parse(line)))
}

/** The most that this process has had resident, in MiB. */
export const peakMemory = () => Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024
