// ostrich completion: scripts that let a shell complete commands, options and what they take.
import { type Command, command, type Option, UsageError } from './command.js'

const shells = ['bash', 'zsh'] as const

/** The command over all others, and itself. */
export function completionOf(others: readonly Command[]): Command {
  const own: Command = command({
    name: 'completion',
    summary: 'print a script that completes commands in bash or zsh',
    arguments: ['bash|zsh'],
    first: shells,
    about: [
      'Prints a script for the shell. In ~/.bashrc: source <(ostrich completion bash). In ~/.zshrc, behind compinit:',
      'source <(ostrich completion zsh). Where the command is run by npx, make an alias of it first.',
    ].join('\n'),
    options: {},
    examples: ['source <(ostrich completion bash)'],
    run: async ({}, [shell = ''], output) => {
      const all = [...others, own]
      if (shell === 'bash') output.line(bash(all))
      else if (shell === 'zsh') output.line(zsh(all))
      else throw new UsageError(`completion: expected bash or zsh, got ${shell}`)
      return Promise.resolve(0)
    },
  })
  return own
}

const names = ({ options }: Command): string[] => [...Object.keys(options).map((name) => `--${name}`), '--help']

function bash(commands: readonly Command[]): string {
  const choices = commands.flatMap(({ name, options }) =>
    Object.entries(options).flatMap(([key, { choices: known }]) =>
      known === undefined ? [] : [`    "${name} --${key}") words="${known.join(' ')}" ;;`],
    ),
  )
  const each = commands.map((one) => {
    return `    ${one.name}) options="${names(one).join(' ')}"; first="${(one.first ?? []).join(' ')}" ;;`
  })
  return `# Completion of ostrich in bash.
_ostrich() {
  local word="\${COMP_WORDS[COMP_CWORD]}" command="\${COMP_WORDS[1]}" words="" options="" first=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(' ')} --help --version" -- "$word"))
    return
  fi
  case "$command \${COMP_WORDS[COMP_CWORD-1]}" in
${choices.join('\n')}
  esac
  if [ -n "$words" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    return
  fi
  case "$command" in
${each.join('\n')}
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
    *)
      if [ "$COMP_CWORD" -eq 2 ] && [ -n "$first" ]; then
        COMPREPLY=($(compgen -W "$first" -- "$word"))
      else
        COMPREPLY=($(compgen -f -- "$word"))
      fi ;;
  esac
}
complete -o filenames -F _ostrich ostrich`
}

/** Within single quotes of zsh, and within the brackets and colons of _arguments. */
const quoted = (text: string): string => text.replace(/[[\]:\\]/g, (mark) => `\\${mark}`).replaceAll("'", "'\\''")

function zshOption([name, { type, help, value = 'value', choices }]: readonly [string, Option]): string {
  const taken = choices === undefined ? '_files' : `(${choices.join(' ')})`
  return `'--${name}[${quoted(help)}]${type === 'flag' ? '' : `:${quoted(value)}:${taken}`}'`
}

function zsh(commands: readonly Command[]): string {
  const described = commands.map(({ name, summary }) => `    '${name}:${quoted(summary)}'`)
  const each = commands.map(({ name, options, first }) => {
    const argument = first === undefined ? [] : [`'1:argument:(${first.join(' ')})'`]
    const all = [...Object.entries(options).map(zshOption), "'--help[this text]'", ...argument, "'*:file:_files'"]
    return `    ${name}) _arguments -s ${all.join(' ')} ;;`
  })
  return `#compdef ostrich
# Completion of ostrich in zsh.
_ostrich() {
  local -a commands
  commands=(
${described.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command="\${words[2]}"
  shift words
  (( CURRENT-- ))
  case "$command" in
${each.join('\n')}
  esac
}
compdef _ostrich ostrich`
}
