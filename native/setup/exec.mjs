// Child processes with their progress on one line: the latest line of output on a terminal, only start and end elsewhere.
// A command that fails throws a SetupError with the end of what it printed.
import { spawn } from 'node:child_process'

const SHOWN_ON_FAILURE = 60

export class SetupError extends Error {}

const terminal = process.stdout.isTTY === true

const status = (title, text) => {
  if (!terminal) return
  const width = (process.stdout.columns ?? 80) - 1
  const plain = text.replace(/\u001b\[[0-9;]*[A-Za-z]/g, '')
  process.stdout.write(`\r\u001b[K${`  ${title}  ${plain}`.slice(0, width)}`)
}

export const say = (title, text) => {
  process.stdout.write(`${terminal ? '\r\u001b[K' : ''}  ${title.padEnd(20)} ${text}\n`)
}

/** Runs a command to its end; resolves with its whole output. */
export const run = (title, command, args, options = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const take = (chunk) => {
      output += chunk
      const line =
        output
          .trimEnd()
          .split(/[\r\n]/)
          .at(-1) ?? ''
      status(title, line)
    }
    child.stdout.setEncoding('utf8').on('data', take)
    child.stderr.setEncoding('utf8').on('data', take)
    child.on('error', (error) => reject(new SetupError(`${title}: cannot run ${command}: ${error.message}`)))
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(output)
      const end = output.trimEnd().split('\n').slice(-SHOWN_ON_FAILURE).join('\n')
      reject(new SetupError(`${end}\n${title}: '${[command, ...args].join(' ')}' ended with ${code ?? signal}`))
    })
  })
