// The CUDA toolkit that native/setup.mjs --cuda found on this machine or fetched: where its headers and libraries lie.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../support/stages.mjs'

const deps = join(root, 'native/.deps')
const fetched = join(deps, 'cuda/nvidia/cudnn/lib')
const answer = readFileSync(join(deps, 'cuda-root.cmake'), 'utf8')

export const toolkit = answer.match(/OSTRICH_CUDA_ROOT "([^"]+)"/)[1]
const includes = answer.match(/OSTRICH_CUDA_INCLUDES (.*)\)/)[1].match(/[^"\s]+/g)

/** Folders of libraries, as the toolkit and distributions have them; fetched ones only beside a fetched toolkit. */
export const libraryFolders = [
  ...['lib64', 'lib'].map((name) => join(toolkit, name)),
  ...(toolkit.startsWith(deps) ? [fetched] : ['/usr/lib/x86_64-linux-gnu', '/usr/local/lib', '/usr/lib64']),
].filter((folder) => existsSync(folder))

const find = (what, name, folders) => {
  const found = folders.map((folder) => join(folder, name)).find((file) => existsSync(file))
  if (found === undefined) throw new Error(`cuda: expected ${what} ${name} in ${folders.join(', ')}, got none`)
  return found
}

/** The text of a header. @throws where there is none */
export const header = (name) => readFileSync(find('the header', name, [...includes, '/usr/include']), 'utf8')

/** The file of a library. @throws where there is none */
export const library = (name) => find('the library', name, libraryFolders)

/** The oldest cuDNN that is supported, which is always fetched. */
export const oldestCudnn = join(deps, 'cudnn-oldest/nvidia/cudnn/lib/libcudnn.so.9')
