// Sound to symbols: numbers of frames, layers of a bidirectional LSTM over them, and at each frame a choice of symbols and the blank, for
// connectionist temporal classification. Graves, Mohamed & Hinton 2013, "Speech recognition with deep recurrent neural networks".
// To reach on TIMIT's core test set, as published: 18.6 % phoneme errors (CTC, three layers of 250), in a beam of 100.
import { expectOptions, is, OstrichError, type Schema } from '../base/index.js'
import { ofDType, type Tensor, type Variable } from '../graph/index.js'
import * as nn from '../nn/index.js'
import { runnable } from '../nn/runnable.js'
import { aTensor } from '../ops/operand.js'
import { stackFrames } from './stacked-frames.js'

/** What a network is given of a frame. */
export interface SpeechFeatures {
  /** Filter banks; or `cepstra`. */
  readonly banks?: nn.FilterBanksOptions
  readonly cepstra?: nn.MfccOptions
  /** 1 adds deltas, 2 deltas of deltas too, in the convention of the features. Default: 0. */
  readonly deltas?: number
  /** So many frames that follow each other become one of all their numbers: the layers above have as many times fewer steps. Default: 1. */
  readonly stack?: number
  /**
   * `training`: by the moments of the training set, which checkpoints hold; `sound`: each sound by its own; `none`. Default: `training`.
   */
  readonly normalise?: 'training' | 'sound' | 'none'
  /** Of the training set, of each number of a frame. Default: means of 0 and deviations of 1, until a checkpoint says otherwise. */
  readonly moments?: { readonly mean: ArrayLike<number>; readonly deviation: ArrayLike<number> }
}

/** Knobs of `speech`. */
export interface SpeechConfig {
  readonly features: SpeechFeatures
  readonly layers: number
  /** Of each layer in each direction. */
  readonly units: number
  /** Whether gates see the cells: slower, as each step of time is ops of its own. Default: false. */
  readonly peepholes?: boolean
  /** K: symbols, and the blank. */
  readonly classes: number
  /** Rate of dropout behind each layer. Default: 0. */
  readonly dropout?: number
  /** Deviation of the noise on weights in training. Default: 0. */
  readonly weightNoise?: number
  /** Masks in training; deltas are masked as what they are of is. Default: none. */
  readonly augment?: Omit<nn.SpecAugmentOptions, 'blocks' | 'name'>
  /** All weights and biases start uniform in +-init. Default: layers start as they do by themselves. */
  readonly init?: number
}

/** The paper's 123 numbers of a frame: 40 filter banks and the energy, with first and second deltas. */
export const gravesFeatures: SpeechFeatures = {
  banks: { convention: 'htk', rate: 16_000, filters: 40, energy: 'raw' },
  deltas: 2,
}

/** The paper's network of 3.8 million weights; the noise is for its second phase, which goes on from the best epoch of one without. */
export const gravesSpeech: Omit<SpeechConfig, 'classes'> = {
  features: gravesFeatures,
  layers: 3,
  units: 250,
  peepholes: true,
  weightNoise: 0.075,
  init: 0.1,
}

/** Logits of sounds, and how many of their frames there are. */
export interface SpeechRun {
  /** f32 [T, N, classes] */
  readonly output: Tensor<'f32'>
  /** How many frames each row has: i32 [N]. */
  readonly lengths: Tensor<'i32'>
  /** Which they are, u8 [T, N]; undefined: all. */
  readonly mask: Tensor<'u8'> | undefined
}

/** A network over sound. As a function it gives the logits of sounds of one length. */
export interface Speech extends nn.Layer<nn.Samples, nn.Features> {
  readonly parameters: readonly Variable<'f32'>[]
  /** Numbers of a frame. */
  readonly inputs: number
  /** Samples a second of the sound that it takes, Hz. */
  readonly rate: number
  /** Samples from the start of a frame to that of the next. */
  readonly shift: number
  /** How many frames so many samples have: so many symbols fit, and fewer where neighbours are alike. */
  readonly frames: (samples: number) => number
  /** The numbers of frames, f32 [T, N, inputs / stack], before they are normalised and stacked: what moments of a training set are of. */
  readonly features: (samples: Tensor<'f32'>, lengths?: Tensor<'i32'>) => nn.Framed
  /** Logits of sounds of lengths of their own, samples f32 [S, N], lengths i32 [N]: a sound's depend on its own samples alone. */
  readonly run: (samples: Tensor<'f32'>, call?: nn.FrameCall) => SpeechRun
}

const schema: Schema<SpeechConfig> = {
  features: is.needed(is.object),
  layers: is.needed(is.whole(1)),
  units: is.needed(is.whole(1)),
  peepholes: is.flag,
  classes: is.needed(is.whole(2)),
  dropout: is.fraction,
  weightNoise: is.notNegative,
  augment: is.object,
  init: is.positive,
}
const featuresSchema: Schema<SpeechFeatures> = {
  banks: is.object,
  cepstra: is.object,
  deltas: is.whole(0, 4),
  stack: is.whole(1, 100),
  normalise: is.oneOf('training', 'sound', 'none'),
  moments: is.object,
}

/**
 * Samples f32 [S, N] -> logits f32 [T, N, classes], one row for each frame.
 * @throws OstrichError `ERR_OPTION`; ShapeError when traced, for samples of another type or fewer than a frame has
 * @example
 * const net = speech({ ...gravesSpeech, classes: 62 })
 * const { output: logits, lengths: frames } = net.run(samples, { lengths })
 */
export function speech(config: SpeechConfig): Speech {
  expectOptions('speech', config, schema)
  const { layers, units, classes, dropout = 0, weightNoise = 0, augment } = config
  const front = frontOf(config.features)
  const masks = augment && nn.specAugment({ ...augment, blocks: front.blocks })
  const stack = Array.from({ length: layers }, (_, i) => directions(config, i === 0 ? front.inputs : 2 * units))
  const drop = nn.dropout(dropout)
  const choice = nn.linear<number, number>(2 * units, classes, startOf(config, { init: nn.init.glorotUniform }))
  const own = runnable<nn.FrameCall, SpeechRun>({
    kind: 'speech',
    name: 'speech',
    children: [...front.layers, ...(masks ? [masks] : []), ...stack, drop, choice],
    compute: (samples, call) => {
      const lengths = call?.lengths
      const framed = front.numbers(ofDType(samples, 'f32', 'speech[samples]'), lengths)
      const rows = lengths && { lengths: framed.lengths }
      const normal = front.normalised(framed.output, rows)
      const whole = masks === undefined ? normal : masks.run(normal, rows).output
      const { output: seen, lengths: frames, mask } = stackFrames({ ...framed, output: whole }, front.stack)
      const read = (x: Tensor<'f32'>): Tensor<'f32'> =>
        choice(stack.reduce((h, layer) => drop(layer.run(h, mask && { mask }).output), x))
      const output = nn.withWeightNoise(weightNoise, () => read(seen))
      return call === undefined ? output : { output, lengths: frames, mask }
    },
    expectCall: (call) => {
      expectOptions<nn.FrameCall>('speech[run]', call, { lengths: aTensor })
    },
  })
  const describe = (value: unknown) => ({ value, enumerable: true })
  return Object.defineProperties(own, {
    inputs: describe(front.inputs),
    rate: describe(front.rate),
    shift: describe(front.stack * front.first.shift),
    frames: describe(front.frames),
    features: describe(front.numbers),
  }) as unknown as Speech
}

/** Where weights start, if the knobs say so. */
function startOf({ init }: SpeechConfig, usual: object = {}): { init?: nn.Initializer; biasInit?: nn.Initializer } {
  return init === undefined ? usual : { init: nn.init.uniform(-init, init), biasInit: nn.init.uniform(-init, init) }
}

function directions(config: SpeechConfig, inputs: number) {
  const { units, peepholes = false } = config
  const one = (reverse: boolean) => {
    const options = { units, inputs, reverse, ...startOf(config) }
    return peepholes ? nn.peepholeLstm<number, number>(options) : nn.lstm<number>(options)
  }
  return nn.bidirectional(one(false), one(true))
}

/** Everything before the first layer that learns. */
function frontOf(features: SpeechFeatures) {
  expectOptions('speech[features]', features, featuresSchema)
  const { banks, cepstra, deltas = 0, stack = 1, normalise = 'training', moments } = features
  const [first, { convention, rate }] = frameLayerOf(banks, cepstra)
  const slopes =
    deltas === 0 ? undefined : nn.deltas({ order: deltas, convention: convention === 'kaldi' ? 'kaldi' : 'htk' })
  const blocks = deltas + 1
  const numbersOfFrame = blocks * first.features
  const own = normalise === 'sound' ? nn.cmvn() : undefined
  const shared = normalise === 'training' ? nn.standardise({ shape: [1, numbersOfFrame], ...moments }) : undefined
  const layers = [first, slopes, own, shared].filter((layer) => layer !== undefined)
  const numbers = (samples: Tensor<'f32'>, lengths?: Tensor<'i32'>): nn.Framed => {
    const framed = first.run(samples, lengths && { lengths })
    if (slopes === undefined) return framed
    return { ...framed, output: slopes.run(framed.output, lengths && { lengths: framed.lengths }).output }
  }
  const normalised = (x: Tensor<'f32'>, rows: nn.SequenceCall | undefined): Tensor<'f32'> => {
    if (own !== undefined) return own.run(x, rows).output
    return shared === undefined ? x : shared(x)
  }
  const frames = (samples: number): number => Math.ceil(first.frames(samples) / stack)
  return { layers, blocks, first, rate, stack, inputs: stack * numbersOfFrame, numbers, normalised, frames }
}

function frameLayerOf(
  banks: nn.FilterBanksOptions | undefined,
  cepstra: nn.MfccOptions | undefined,
): readonly [nn.FrameLayer, Pick<nn.FilterOptions, 'convention' | 'rate'>] {
  if (banks !== undefined && cepstra === undefined) return [nn.filterBanks(banks), banks]
  if (cepstra !== undefined && banks === undefined) return [nn.mfcc(cepstra), cepstra]
  const got = banks === undefined ? 'neither' : 'both'
  throw new OstrichError('ERR_OPTION', `speech[features]: expected banks or cepstra, got ${got}`)
}
