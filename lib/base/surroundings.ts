// What the library takes from the process that it runs in, all of it in this place: the environment, as where the addon and the
// data lie is found without the command line too, and Node.js itself, to start another.
import { env, execPath } from 'node:process'

/** The environment's variable of this name; undefined where it is not set or empty. */
export function environment(name: string): string | undefined {
  const value = env[name]
  return value === '' ? undefined : value
}

/** What starts another Node.js: its program, and this environment with `more` in it. */
export function anotherNode(more: Readonly<Record<string, string>>): {
  readonly program: string
  readonly env: Readonly<Record<string, string | undefined>>
} {
  return { program: execPath, env: { ...env, ...more } }
}
