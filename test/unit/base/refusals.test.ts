// Every public function with options refuses one that it does not know, and one of another kind, before it does anything else.
import { describe, expect, it } from 'vitest'
import * as data from '../../../lib/data/index.js'
import { constant, feed, trace, Variable } from '../../../lib/graph/index.js'
import { nn, openDevice, ops, optim, solvers, train } from '../../../lib/index.js'
import * as models from '../../../lib/models/index.js'
import { mnist as mnistRecipe, recipes } from '../../../lib/recipes/index.js'

/** Called with options that nobody checked. */
type Call = (options: never) => unknown

const x = () => constant('f32', [2, 4, 8, 8], 0)
const traced =
  (call: Call): Call =>
  (options) =>
    trace({ name: 'test' }, () => ({ y: call(options) as never }))
const net = nn.linear(2, 2)
const dots = data.arrays({ x: { data: new Float32Array(4), shape: [2] }, target: new Int32Array(2) })
const compiler = { compile: () => Promise.reject(new Error('reached')) }
const someText = { size: 0, pieces: () => Promise.reject(new Error('reached')) as never }
const wordVectors = new train.KeyedVectors({ words: ['a'], vectors: new Float32Array(1) })
const good = { loss: nn.crossEntropy, optimizer: optim.sgd({ rate: 1 }), batch: 1 }

/** A call, one option of its own that is spelt wrong, with the right word, and one of another kind. */
const calls: Readonly<Record<string, readonly [Call, object, string, object]>> = {
  'optim.sgd': [optim.sgd, { rate: 1, momentun: 0.9 }, 'momentum', { rate: '0.1' }],
  'optim.adam': [optim.adam, { learningRate: 1 }, 'rate', { rate: 1, beta1: '0.9' }],
  'optim.rmsprop': [optim.rmsprop, { rate: 1, smooth: 1 }, 'smoothing', { rate: 1, momentum: null }],
  'optim.stepDecay': [(o) => optim.stepDecay(1, o), { every: 1, facto: 1 }, 'factor', { every: '1', factor: 1 }],
  'optim.exponential': [(o) => optim.exponential(1, o), { evry: 1 }, 'every', { every: 1, factor: '1' }],
  'optim.cosine': [(o) => optim.cosine(1, o), { totals: 1 }, 'total', { total: 1, floor: '0' }],
  'optim.oneCycle': [(o) => optim.oneCycle(1, o), { total: 100, rize: 1 }, 'rise', { total: '100' }],
  'optim[average]': [(o) => optim.sgd({ rate: 1, average: o }), { patient: 1 }, 'patience', { patience: '1' }],
  'nn.conv2d': [(o) => nn.conv2d(1, 1, o), { kernal: 3 }, 'kernel', { kernel: '3' }],
  'nn.local2d': [(o) => nn.local2d(1, 1, o), { size: 6, kernel: 3, pad: 1 }, 'padding', { size: 6, kernel: '3' }],
  'nn.linear': [(o) => nn.linear(1, 1, o), { biass: false }, 'bias', { init: 'he' }],
  'nn.maxout': [(o) => nn.maxout(1, 1, o), { piece: 2 }, 'pieces', { pieces: '2' }],
  'nn.maxPool2d': [(o) => nn.maxPool2d(2, o), { strides: 2 }, 'stride', { ceil: 1 }],
  'nn.avgPool2d': [(o) => nn.avgPool2d(2, o), { countPad: true }, 'countPadding', { stride: '2' }],
  'nn.lrn': [nn.lrn, { convention: 'caffe', sise: 5 }, 'size', { convention: 'torch' }],
  'nn.embedding': [(o) => nn.embedding(2, 2, o), { initial: 1 }, 'init', { name: 1 }],
  'nn.lstm': [nn.lstm, { units: 2, forgetbias: 1 }, 'forgetBias', { units: 2, carry: 1 }],
  'nn.rnn': [nn.rnn, { units: 2, activate: 'relu' }, 'activation', { units: 2, activation: 'sigmoid' }],
  'nn.gru': [nn.gru, { unit: 2 }, 'units', { units: '2' }],
  'nn.mrnn': [nn.mrnn, { units: 2, inputs: 2, factor: 2 }, 'factors', { units: 2, inputs: 2, factors: '2' }],
  'nn.layer': [nn.layer, { kind: 'a', aply: 1 }, 'apply', { kind: 'a', apply: 1 }],
  'nn.summary': [(o) => nn.summary(net, o), { x: [1, 2], dtyp: 'f32' }, 'dtype', { x: 2 }],
  'ops.conv2d': [traced((o) => ops.conv2d(x(), x(), o)), { pading: 1 }, 'padding', { padding: '1' }],
  'ops.matmul': [traced((o) => ops.matmul(x(), x(), o)), { transposeb: true }, 'transposeB', { transposeB: 1 }],
  'ops.maxPool2d': [traced((o) => ops.maxPool2d(x(), 2, o)), { ceiling: true }, 'ceil', { stride: '2' }],
  'ops.avgPool2d': [traced((o) => ops.avgPool2d(x(), 2, o)), { pad: 1 }, 'padding', { countPadding: 1 }],
  'ops.unfold': [traced((o) => ops.unfold(x(), o)), { kernal: 2 }, 'kernel', { kernel: '2' }],
  'ops.local2d': [traced((o) => ops.local2d(x(), x(), o)), { kernal: 2 }, 'kernel', { kernel: '2' }],
  'ops.ctc': [
    traced((o) => ops.ctc(x(), x() as never, x() as never, x() as never, o)),
    { blanc: 1 },
    'blank',
    { blank: '0' },
  ],
  'ops.lrn': [traced((o) => ops.lrn(x(), o)), { alfa: 1 }, 'alpha', { size: '5', alpha: 1, beta: 1, k: 1 }],
  'ops.sum': [traced((o) => ops.sum(x(), 1, o)), { keepdims: true }, 'keepDims', { keepDims: 1 }],
  'ops.max': [traced((o) => ops.mean(ops.max(x(), 1, o))), { keepDim: true }, 'keepDims', { keepDims: 1 }],
  'ops.randomUniform': [traced((o) => ops.randomUniform([1], o)), { hi: 1, lo: 0 }, 'high', { low: '0' }],
  'ops.randomNormal': [traced((o) => ops.randomNormal([1], o)), { stdd: 1 }, 'std', { std: '1' }],
  trace: [(o) => trace(o, () => ({})), { nam: 'g' }, 'name', { name: 'g', mode: 'test' }],
  Variable: [(o) => new Variable(o), { label: 'w', dtyp: 'f32' }, 'dtype', { label: 'w', dtype: 'f64' }],
  session: [(o) => train.session(net, o), { data: dots, ...good, epoch: 3 }, 'epochs', { ...good, batch: '1' }],
  'session[checkpointEvery]': [
    (o) => train.session(net, { data: dots, ...good, checkpointEvery: o }),
    { step: 1 },
    'steps',
    { steps: 0 },
  ],
  load: [(o) => train.load('nowhere', net, o), { devise: 'cpu' }, 'device', { threads: '1' }],
  profile: [(o) => train.profile(net, o), { ...good, run: 1 }, 'runs', { ...good, runs: 0 }],
  createProgress: [train.createProgress, { everySecond: 1 }, 'everySeconds', { stream: {} }],
  openRunLog: [(o) => train.openRunLog('/dev/null', o), { titel: 'a' }, 'title', { title: 1 }],
  openDevice: [openDevice, { thread: 1 }, 'threads', { threads: -1 }],
  batches: [(o) => data.batches(dots, o), { batch: 1, shufle: true }, 'shuffle', { batch: 1, shuffle: 'yes' }],
  fromBatches: [(o) => data.fromBatches([], o), { field: {} }, 'fields', { fields: 1 }],
  windows: [(o) => data.windowsPerEpoch(9, o), { stream: 1 }, 'streams', { streams: 1, steps: 1, dropLast: 1 }],
  text: [(o) => data.text('nowhere', o), { units: 'word' }, 'unit', { vocabulary: {} }],
  mnist: [data.mnist, { folder: 'a', dirr: 'b' }, '', { dir: 1 }],
  cifar10: [data.cifar10, { augmentation: {} }, 'augment', { dir: 1 }],
  ptb: [data.ptb, { vocab: 1 }, 'vocabulary', { dir: 1 }],
  shakespeare: [data.shakespeare, { vocab: 1 }, 'vocabulary', { dir: 1 }],
  getMnist: [data.getMnist, { onprogress: 1 }, 'onProgress', { npm: 1 }],
  getCifar10: [data.getCifar10, { form: 'a' }, 'from', { from: 1 }],
  getPtb: [data.getPtb, { form: 'a' }, 'from', { from: 1 }],
  getShakespeare: [data.getShakespeare, { form: 'a' }, 'from', { from: 1 }],
  countWords: [(o) => data.countWords(someText, o), { leest: 1 }, 'least', { most: 0 }],
  learnPhrases: [(o) => data.learnPhrases(someText, o), { treshold: 1 }, 'threshold', { least: '5' }],
  Sentences: [(o) => new data.Sentences(o), { keep: new Float64Array(1), longst: 1 }, 'longest', { keep: [1] }],
  'KeyedVectors.load': [(o) => train.KeyedVectors.load('nowhere', o), { formatt: 'a' }, 'format', { limit: 0 }],
  'KeyedVectors.save': [(o) => wordVectors.save('nowhere', o), { formatt: 'a' }, 'format', { format: 'word2vec' }],
  mostSimilar: [(o) => wordVectors.mostSimilar(o), { positiv: ['a'] }, 'positive', { positive: 'a' }],
  evaluateAnalogies: [(o) => wordVectors.evaluateAnalogies('nowhere', o), { limitt: 1 }, 'limit', { method: 'dot' }],
  evaluatePairs: [(o) => wordVectors.evaluatePairs('nowhere', o), { ignorecase: true }, 'ignoreCase', { limit: '1' }],
  learnVectorMap: [(o) => train.learnVectorMap(wordVectors, wordVectors, [], o), { methods: 1 }, 'method', { rate: 0 }],
  wordTranslator: [
    (o) => train.wordTranslator(undefined as never, wordVectors, wordVectors, o),
    { limits: 1 },
    'limit',
    { retrieval: 'dot' },
  ],
  search: [(o) => wordVectors.search(o), { limits: 1 }, 'limit', { threads: '1' }],
  readTree: [(o) => data.readTree('nowhere', o), { label: 'a' }, 'labels', { labels: 1 }],
  packImages: [(o) => data.packImages('nowhere', 'nor here', o), { worker: 1 }, 'workers', { onProgress: 1 }],
  packedImages: [(o) => data.packedImages('nowhere', o), { worker: 1 }, 'workers', { augment: 1 }],
  lbfgsb: [
    (o) => optim.lbfgsb(() => ({ value: 0, gradient: [0] }), [0], {}, o),
    { maxIteration: 1 },
    'maxIterations',
    { history: '1' },
  ],
  'lbfgsb[bounds]': [
    (o) => optim.lbfgsb(() => ({ value: 0, gradient: [0] }), [0], o),
    { low: 0 },
    'lower',
    { lower: '0' },
  ],
  rowMinimizer: [(o) => solvers.rowMinimizer(compiler, (a: never) => a, o), { shap: [1] }, 'shape', { shape: 1 }],
  lbfgsAttack: [
    (o) => solvers.lbfgsAttack(compiler, net, o),
    { shape: [1, 2], round: 1 },
    'rounds',
    { shape: [1, 2], resume: 1 },
  ],
  fgsm: [(o) => solvers.fgsm(compiler, net, o), { shape: [1, 2], eps: 1 }, 'epsilon', { shape: [1, 2], epsilon: '1' }],
  pgd: [
    (o) => solvers.pgd(compiler, net, o),
    { shape: [1, 2], epsilon: 1, step: 1 },
    'steps',
    { shape: [1, 2], epsilon: 1, steps: '1' },
  ],
  adversarialLoss: [(o) => solvers.adversarialLoss(net, nn.crossEntropy, o), { eps: 1 }, 'epsilon', { epsilon: '1' }],
  recipe: [(o) => mnistRecipe.build(o), { epoch: 1 }, 'epochs', { batch: 0 }],
  lenet: [models.lenet, { ...models.mnistLenet, drop: 1 }, 'dropout', { ...models.mnistLenet, hidden: '1' }],
  mlp: [models.mlp, { ...models.mnistMlp, hiden: [1] }, 'hidden', { ...models.mnistMlp, hidden: 1 }],
  alexnet: [models.alexnet, { ...models.imagenetAlexnet, sides: 1 }, 'side', { ...models.imagenetAlexnet, side: '1' }],
  lstmLm: [models.lstmLm, { ...models.charLstm, layer: 1 }, 'layers', { ...models.charLstm, layers: '1' }],
  awdLstm: [models.awdLstm, { ...models.ptbAwd, layer: 1 }, 'layers', { ...models.ptbAwd, drop: 1 }],
}

async function refusal(call: Call, options: object): Promise<unknown> {
  try {
    await call(options as never)
  } catch (error) {
    return error
  }
  return undefined
}

describe('an option that is not known', () => {
  it.for(Object.entries(calls))('%s', async ([name, [call, wrong, meant]]) => {
    const error = await refusal(call, wrong)
    expect(error).toMatchObject({ code: 'ERR_OPTION' })
    const { message } = error as Error
    expect(message.startsWith(`${name}: expected the option`)).toBe(true)
    if (meant !== '') expect(message).toContain(`(did you mean ${meant}?)`)
  })
})

describe('an option of another kind', () => {
  it.for(Object.entries(calls))('%s', async ([name, [call, , , wrong]]) => {
    const error = await refusal(call, wrong)
    expect(error).toMatchObject({ code: 'ERR_OPTION' })
    expect((error as Error).message).toMatch(/\[[\w.]+\]: expected .+, got /)
    expect((error as Error).message.startsWith(name)).toBe(true)
  })
})

describe('an argument of another kind', () => {
  it.for([
    [() => nn.dropout('0.5' as never), 'nn.dropout[rate]: expected a number from 0 to below 1, got "0.5"'],
    [
      () => nn.maxPool2d('2' as never),
      'nn.maxPool2d[kernel]: expected a whole number of at least 1, or two of them, got "2"',
    ],
    [() => nn.conv2d(1, 1, 3 as never), 'nn.conv2d: expected the options kernel, stride'],
    [() => nn.sequential(net, undefined as never), 'nn.sequential[layer 2]: expected a function, got undefined'],
    [() => nn.init.uniform(0, '1' as never), 'nn.init.uniform[high]: expected a finite number, got "1"'],
    [() => optim.sgd(0.1 as never), 'optim.sgd: expected the options rate, weightDecay'],
    [() => optim.sgd({} as never), 'optim.sgd[rate]: expected a number or a schedule, got undefined'],
    [() => optim.warmup('1' as never, 5), 'optim.warmup[rate]: expected a number or a schedule, got "1"'],
    [traced(() => ops.sum(x(), { keepDims: true } as never)), 'ops.sum[axes]: expected a number or a list of numbers'],
  ] as const)('%# is refused', ([call, message]) => {
    expect(() => call({} as never)).toThrow(message)
  })
})

it('what all recipes build for themselves passes', () => {
  for (const recipe of recipes) expect(recipe.build().batch).toBeGreaterThan(0)
  expect(() => trace({ name: 'test' }, () => ({ y: feed('x', 'f32', [1]) }))).not.toThrow()
})
