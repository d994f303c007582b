// The tables of "Intriguing properties of neural networks" (Szegedy et al. 2013, arXiv:1312.6199, section 4.2) and of the lecture,
// with the published numbers, in the names that `measure` gives to what it measures.
import type { Layout, Wanted } from '../report/index.js'

/** The networks of tables 1 and 2: recipe, and the paper's name. */
export const networks = [
  ['fc10-1e-4', 'FC10(1e-4)'],
  ['fc10-1e-2', 'FC10(1e-2)'],
  ['fc10-1', 'FC10(1)'],
  ['fc100-100-10', 'FC100-100-10'],
  ['fc200-200-10', 'FC200-200-10'],
  ['ae400-10', 'AE400-10'],
] as const

/** The networks of tables 3 and 4: name here, the paper's name and half, recipe, and the half that they are trained on. */
export const halfNetworks = [
  ['a', 'FC100-100-10 on P1', 'fc100-100-10', 0],
  ['b', 'FC123-456-10 on P1', 'fc123-456-10', 0],
  ['c', "FC100-100-10' on P2", 'fc100-100-10', 1],
] as const

const share = (title: string) => ({ title, unit: 'share' }) as const
const away = (title: string) => ({ title, unit: 'distortion' }) as const
const percent = (of: string, published?: number): Wanted => ({ of, published: published && published / 100 })
const exactly = (of: string, published: number): Wanted => ({ of, published: published / 100 })

const published1 = [
  [6.7, 7.4, 0.062],
  [10, 9.4, 0.1],
  [21.2, 20, 0.14],
  [0, 1.64, 0.058],
  [0, 1.54, 0.065],
  [0.57, 1.9, 0.086],
]

const published2 = [
  [100, 11.7, 22.7, 2, 3.9, 2.7],
  [87.1, 100, 35.2, 35.9, 27.3, 9.8],
  [71.9, 76.2, 100, 48.1, 47, 34.4],
  [28.9, 13.7, 21.1, 100, 6.6, 2],
  [38.2, 14, 23.8, 20.3, 100, 2.7],
  [23.4, 16, 24.8, 9.4, 6.6, 100],
]

const published2Noise = [
  [5, 10.1, 18.3, 0, 0, 0.8],
  [15.6, 11.3, 22.7, 5, 4.3, 3.1],
]

const table1: Layout = {
  title: 'Table 1: networks, their errors and the average distance to the nearest negative example',
  notes: [
    'Distortion: root of the mean square of the change over the 784 pixels, in [0, 1]. Its label is a wrong one drawn for each image.',
    'Fed again: errors on the saved images of the network itself, as numbers of f32 and after rounding to 8 bits.',
  ],
  columns: [share('training error'), share('test error'), away('distortion'), share('fed again'), share('in 8 bits')],
  rows: networks.map(([name, title], row) => ({
    title,
    cells: [
      exactly(`train ${name}`, published1[row]![0]!),
      exactly(`test ${name}`, published1[row]![1]!),
      { of: `distortion ${name}`, published: published1[row]![2] },
      { of: `again ${name}`, published: 1 },
      { of: `rounded ${name}` },
    ],
  })),
}

const table2: Layout = {
  title: 'Table 2: errors of the column’s network on negative examples made for the row’s',
  notes: ['Gaussian noise is scaled to the given size for each image, and not cut to [0, 1].'],
  columns: networks.map(([, title]) => share(title)),
  rows: [
    ...networks.map(([from, title], row) => ({
      title,
      cells: networks.map(([to], column) => exactly(`transfer ${from} ${to}`, published2[row]![column]!)),
    })),
    ...['0.1', '0.3'].map((size, row) => ({
      title: `Gaussian ${size}`,
      cells: networks.map(([to], column) => exactly(`noise ${size} ${to}`, published2Noise[row]![column]!)),
    })),
    { title: 'clean images', cells: networks.map(([to]) => ({ of: `clean ${to}` })) },
  ],
}

const table2Noise: Layout = {
  title: 'Beside table 2: Gaussian noise as large, image by image, as the row’s negative examples',
  notes: ['Share of the images that the column’s network gets right without noise, and wrong with it.'],
  columns: networks.map(([, title]) => share(title)),
  rows: networks.map(([from, title]) => ({
    title,
    cells: networks.map(([to]) => ({ of: `harmed ${from} ${to}` })),
  })),
}

const published3 = [
  [0, 2.4, 2, 0.062],
  [0, 2.5, 2.1, 0.059],
  [2.3, 0, 2.1, 0.058],
]

const table3: Layout = {
  title: 'Table 3: networks trained on disjoint halves, P1 and P2, of MNIST’s training images',
  columns: [share('error on P1'), share('error on P2'), share('test error'), away('distortion')],
  rows: halfNetworks.map(([name, title], row) => ({
    title,
    cells: [
      exactly(`half P1 ${name}`, published3[row]![0]!),
      exactly(`half P2 ${name}`, published3[row]![1]!),
      exactly(`half test ${name}`, published3[row]![2]!),
      { of: `half distortion ${name}`, published: published3[row]![3] },
    ],
  })),
}

const published4 = [
  [100, 26.2, 5.9],
  [6.25, 100, 5.1],
  [8.2, 8.2, 100],
]
const published4Noise = [2.2, 2.6, 2.4]

const table4: Layout = {
  title: 'Table 4: errors of the column’s network on negative examples made for the row’s, trained on halves',
  columns: halfNetworks.map(([, title]) => share(title)),
  rows: [
    ...halfNetworks.map(([from, title], row) => ({
      title,
      cells: halfNetworks.map(([to], column) => exactly(`half transfer ${from} ${to}`, published4[row]![column]!)),
    })),
    {
      title: 'Gaussian 0.06',
      cells: halfNetworks.map(([to], column) => exactly(`half noise 0.06 ${to}`, published4Noise[column]!)),
    },
  ],
}

const published4Amplified = [
  [100, 98, 43],
  [96, 100, 22],
  [27, 50, 100],
]
const published4AmplifiedNoise = [2.6, 2.8, 2.7]

const table4Amplified: Layout = {
  title: 'Table 4, continued: the same distortions amplified to 0.1',
  notes: ['As in the paper, x + 0.1 sqrt(784) r / |r|, not cut to [0, 1].'],
  columns: table4.columns,
  rows: [
    ...halfNetworks.map(([from, title], row) => ({
      title,
      cells: halfNetworks.map(([to], column) =>
        exactly(`half amplified ${from} ${to}`, published4Amplified[row]![column]!),
      ),
    })),
    {
      title: 'Gaussian 0.1',
      cells: halfNetworks.map(([to], column) => exactly(`half noise 0.1 ${to}`, published4AmplifiedNoise[column]!)),
    },
  ],
}

const [a, b] = ['fc200-200-10', 'fc100-100-10']

const lecture1: Layout = {
  title: 'The lecture’s first table: model A (FC200-200-10) and model B (FC100-100-10)',
  columns: [share('training error'), share('negatives for A'), share('negatives for B'), share('Gaussian 0.1')],
  rows: [
    {
      title: 'model A',
      cells: [
        exactly(`train ${a}`, 0),
        exactly(`transfer ${a} ${a}`, 100),
        exactly(`transfer ${b} ${a}`, 6.6),
        exactly(`noise 0.1 ${a}`, 0),
      ],
    },
    {
      title: 'model B',
      cells: [
        exactly(`train ${b}`, 0),
        exactly(`transfer ${a} ${b}`, 20.3),
        exactly(`transfer ${b} ${b}`, 100),
        exactly(`noise 0.1 ${b}`, 0),
      ],
    },
  ],
}

/** Model A is FC100-100-10 on P1; model B is read in two ways. */
function lecture2(title: string, note: string, other: 'b' | 'c'): Layout {
  const row = (name: string, model: string, errors: readonly [number?, number?], across: number): Layout['rows'][0] => {
    const foreign = model === 'a' ? other : 'a'
    const negatives = [percent(`half transfer a ${model}`), percent(`half transfer ${other} ${model}`)]
    negatives[model === 'a' ? 1 : 0] = exactly(`half transfer ${foreign} ${model}`, across)
    const error = (half: string, published?: number): Wanted => ({
      of: `half ${half} ${model}`,
      published: published === undefined ? undefined : published / 100,
    })
    return { title: name, cells: [error('P1', errors[0]), error('P2', errors[1]), ...negatives] }
  }
  return {
    title,
    notes: [note],
    columns: [share('error on P1'), share('error on P2'), share('negatives for A'), share('negatives for B')],
    rows: [row('model A', 'a', [], 6.25), row('model B', other, [2.5, 0], 26.2)],
  }
}

const same = lecture2(
  'The lecture’s second table, first reading: both models on P1, B is FC123-456-10',
  'The lecture’s 26.2 % and 6.25 % are the paper’s for two architectures on the same half; "2.5 % on P1, 0 % on P2" is then no row of the paper.',
  'b',
)
const other = lecture2(
  'The lecture’s second table, second reading: B is FC100-100-10 on the other half, P2',
  'What the slide says it shows: other weights and other training images. The paper’s own numbers for this are 8.2 % and 5.9 % (table 4).',
  'c',
)

/** Rules by which the wrong label is chosen; the first is that of all other tables. */
export const rules = [
  ['random', 'a wrong label at random (all other tables)'],
  ['runner-up', 'the likeliest wrong label'],
  ['fixed', 'always 8 (where that is right, 9)'],
  ['nine', 'the best of all wrong labels'],
] as const

const ruleTable: Layout = {
  title: 'Rules for the label that a negative example is to get',
  notes: ['The paper does not say its rule. On the first sixth of the images.'],
  columns: [away('FC100-100-10'), away('FC200-200-10'), share('100 → 200'), share('200 → 100')],
  rows: rules.map(([rule, title]) => ({
    title,
    cells: [
      { of: `rule ${rule} distortion fc100-100-10` },
      { of: `rule ${rule} distortion fc200-200-10` },
      { of: `rule ${rule} fc100-100-10 fc200-200-10` },
      { of: `rule ${rule} fc200-200-10 fc100-100-10` },
    ],
  })),
}

/** All tables, in the order in which they are shown. */
export const layouts: readonly Layout[] = [
  ...[table1, table2, table2Noise, table3, table4, table4Amplified],
  ...[lecture1, same, other, ruleTable],
]
