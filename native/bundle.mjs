// The library's JavaScript: one file for each room instead of one for each source, because opening a module costs more than
// what is in it (docs/decisions/0009-bundled-library.md). The declarations are tsc's, one for each source.
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const rooms = readdirSync(join(root, 'lib'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'cli')
  .map(({ name }) => `${name}/index`)
/** What may be imported: the public names, each room's, and what the benchmarks measure below a session. */
const entries = [
  'index',
  'cli/main',
  ...rooms,
  'data/buckets',
  'train/objective',
  'train/programs',
  'train/state',
  'train/trainer',
]
/** What runs in a process or a thread of its own. */
entries.push('data/image/pack-worker', 'data/gather-worker')

const bundle = await rolldown({
  input: Object.fromEntries(entries.map((name) => [name, join(root, 'lib', `${name}.ts`)])),
  platform: 'node',
  // An optional peer, which is the user's.
  external: ['sharp'],
  tsconfig: join(root, 'tsconfig.build.json'),
  transform: { target: 'es2023' },
})
/** Of data, what is loaded when it is first called: it shares sources with the rest, which would be cut into many small files. */
const later =
  /\/lib\/data\/(?:cache|gather|mat5|npm-package|npy|open-files|parallel|tar|zip|image\/(?!augment|crop|index|statistics)|numbers\/(?!index|number)|sources\/cifar10-import|video\/(?!index|sequences|windows))/
/** Rooms of which several entries take parts, which would be cut into a file for each part; each behind those that it takes from. */
const whole = ['graph', 'ops', 'autodiff', 'optim', 'report', 'files', 'compile', 'runtime', 'train']
/** Of report, what only experiments and their commands load. */
const pictures = /\/lib\/report\/(?:html|number-|page|png|transcri)/
await bundle.write({
  dir: join(root, 'dist'),
  sourcemap: true,
  entryFileNames: '[name].js',
  // As deep as a room, so that what is found from import.meta.url is found from here too.
  chunkFileNames: 'chunks/[name].js',
  codeSplitting: {
    groups: [
      { name: 'data', priority: whole.length, test: (id) => /\/lib\/data\//.test(id) && !later.test(id) },
      ...whole.map((room, i) => ({
        name: room,
        priority: whole.length - 1 - i,
        test: (id) => id.includes(`/lib/${room}/`) && !pictures.test(id),
      })),
    ],
  },
})
await bundle.close()
