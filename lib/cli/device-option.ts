// The option --device of every command that runs a network: what a session takes.
import { deviceNames, isDeviceName } from '../runtime/index.js'

export const deviceOption = {
  type: 'text',
  value: 'auto|cpu|cuda|cuda:1',
  choices: ['auto', 'cpu', 'cuda'],
  more: { accepts: isDeviceName, expected: deviceNames },
  help: 'where to run (default auto)',
} as const
