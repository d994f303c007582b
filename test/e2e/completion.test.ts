// ostrich completion: what bash and zsh make of its scripts.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ostrich } from '../support/command-line.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-completion-'))
  for (const shell of ['bash', 'zsh']) {
    await writeFile(join(folder, shell), (await ostrich(folder, ['completion', shell])).out)
  }
  await writeFile(join(folder, 'photo.jpg'), '')
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

/** What bash offers for the last of these words. */
function offered(...words: string[]): string[] {
  const line = ['ostrich', ...words].map((word) => `'${word}'`).join(' ')
  const script = `source ./bash; COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _ostrich; printf '%s\\n' "\${COMPREPLY[@]}"`
  return execFileSync('bash', ['-c', script], { cwd: folder, encoding: 'utf8' }).split('\n').filter(Boolean)
}

describe('bash', () => {
  it.for([
    [['tra'], ['train', 'transcribe', 'translate']],
    [
      ['train', 'mnist-m'],
      ['mnist-mlp', 'mnist-maxout', 'mnist-maxout-fgsm'],
    ],
    [['train', 'mnist', '--pre'], ['--precision']],
    [['train', 'mnist', '--precision', 'b'], ['bf16']],
    [['words', 'ma'], ['map']],
    [
      ['runs', ''],
      ['list', 'compare', 'remove'],
    ],
    [
      ['completion', ''],
      ['bash', 'zsh'],
    ],
    [['predict', 'runs/x', 'pho'], ['photo.jpg']],
  ] as const)('completes %j', ([words, expected]) => {
    expect(offered(...words).sort()).toEqual([...expected].sort())
  })
})

const hasZsh = spawnSync('zsh', ['--version']).status === 0
/** Types a line and Tab into a zsh of its own, and prints what the line then is. */
const typing = `zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'autoload -U compinit; compinit -u -D; source ./zsh; PS1=; stty -echo; echo READY'
heard='' tries=0
until [[ $heard == *READY$'\\r'* ]] || (( tries++ > 200 )); do zpty -r -t z part && heard+=$part || sleep 0.05; done
zpty -w -n z "$1"$'\\t'
heard='' tries=0
until [[ $heard == *"$2"* ]] || (( tries++ > 200 )); do zpty -r -t z part && heard+=$part || sleep 0.05; done
print -r -- "$heard"
`
describe.skipIf(!hasZsh)('zsh', () => {
  it('takes the script', () => {
    expect(spawnSync('zsh', ['-n', join(folder, 'zsh')], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
  })

  it.for([
    ['ostrich train mnist --pre', 'ostrich train mnist --precision'],
    ['ostrich train mnist --precision b', 'ostrich train mnist --precision bf16'],
    ['ostrich words ma', 'ostrich words map'],
    ['ostrich predict runs/x pho', 'ostrich predict runs/x photo.jpg'],
  ] as const)('completes %s', { timeout: 30_000 }, ([typed, expected]) => {
    const said = execFileSync('zsh', ['-f', '-c', typing, 'zsh', typed, expected], { cwd: folder, encoding: 'utf8' })
    expect(said).toContain(expected)
  })
})

it('is for these two', async () => {
  const { code, err } = await ostrich(folder, ['completion', 'fish'])
  expect([code, err]).toEqual([2, 'ostrich: completion: expected bash or zsh, got fish\n'])
})
