// A folder as a user has it: the package, made-up digits in the place of MNIST, photographs and a trained network. What is written for users is compiled
// against the package's own types there, and run.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { makeDigits } from './digits.js'
import { makePhotos, makeTrained } from './pets.js'
import { writeTorchWeights } from './torch-weights.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

/** Makes one among temporary files, with the package alone. */
export async function packageFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ostrich-user-'))
  await mkdir(join(folder, 'node_modules'))
  await symlink(root, join(folder, 'node_modules/ostrich'))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }\n')
  return folder
}

/** Makes one with everything. */
export async function userFolder(): Promise<string> {
  const folder = await packageFolder()
  for (const name of ['onnxruntime-node', 'onnxruntime-common']) {
    await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  }
  await makeDigits(join(folder, 'mnist'))
  await makePhotos(folder, 60)
  await makeTrained(folder)
  await writeTorchWeights(join(folder, 'torch.safetensors'))
  return folder
}

/** What the compiler says of programs that use the package, as a user's would; the programs lie beside them. `more` are options of it. */
export async function compiledIn(
  folder: string,
  files: readonly string[],
  more: readonly string[] = [],
): Promise<string> {
  const types = ['--typeRoots', join(root, 'node_modules/@types'), '--types', 'node']
  const library = ['--lib', 'es2023,esnext.disposable']
  const options = ['--strict', '--target', 'es2023', '--module', 'nodenext', '--skipLibCheck', ...types, ...library]
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const { stdout } = await run(process.execPath, [compiler, ...options, ...more, ...files], { cwd: folder }).catch(
    (error: unknown) => error as { stdout: string },
  )
  return stdout
}
