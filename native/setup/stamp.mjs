// What was done last time: one content hash per step, kept in an ignored file. A step whose hash is unchanged is skipped.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const filesUnder = (path, accept) => {
  if (statSync(path).isFile()) return [path]
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith('.'))
    .flatMap((entry) => {
      const child = join(path, entry.name)
      if (entry.isDirectory()) return filesUnder(child, accept)
      return accept.test(entry.name) ? [child] : []
    })
}

/** Hash of the names and contents of the given files, and of the files in the given folders that `accept` matches. */
export const hashOf = (root, paths, accept = /./) => {
  const hash = createHash('sha256')
  for (const path of paths.flatMap((path) => filesUnder(join(root, path), accept)).sort()) {
    const content = readFileSync(path)
    hash.update(`${relative(root, path)}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}

export class Stamps {
  constructor(file) {
    this.file = file
    try {
      this.keys = JSON.parse(readFileSync(file, 'utf8'))
    } catch {
      this.keys = {} // absent or half-written: everything is checked again
    }
  }

  has(name, key) {
    return this.keys[name] === key
  }

  set(name, key) {
    this.keys[name] = key
    mkdirSync(dirname(this.file), { recursive: true })
    writeFileSync(this.file, `${JSON.stringify(this.keys, null, 2)}\n`)
  }
}
