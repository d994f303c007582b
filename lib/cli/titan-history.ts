// What AlexNet's training has run at since 2012, as published; images per second, forward, backward and, unless said, update.

/** One published figure. */
export interface Anchor {
  readonly device: string
  readonly software: string
  readonly batch: number | undefined
  readonly rate: number
  readonly year: number
  readonly source: string
}

/** Images that 90 epochs of ILSVRC-2012 (1,281,167 training images) show. */
export const imagesOf90Epochs = 90 * 1_281_167

/** "~5 days on a GTX Titan", 90 epochs: images per second. */
export const titanRate = imagesOf90Epochs / (5 * 86_400)

const convnet = 'soumith/convnet-benchmarks (forward and backward only)'
const caffe = 'Caffe documentation, performance on hardware'
const lambda = 'Lambda Labs TensorFlow benchmark logs'

/** Oldest first. */
export const history: readonly Anchor[] = [
  { device: 'Tesla K20', software: 'Caffe', batch: 256, rate: 142, year: 2014, source: caffe },
  { device: 'Tesla K40', software: 'Caffe', batch: 256, rate: 193, year: 2014, source: caffe },
  { device: 'GTX Titan', software: 'Caffe', batch: 256, rate: 195, year: 2014, source: caffe },
  {
    device: 'Tesla K20',
    software: 'cuda-convnet2',
    batch: 128,
    rate: 327,
    year: 2014,
    source: 'Krizhevsky 2014, arXiv:1404.5997: 98.05 hours for 90 epochs',
  },
  { device: 'Titan Black', software: 'cuDNN R1', batch: 128, rate: 262, year: 2014, source: convnet },
  { device: 'Titan Black', software: 'Torch-7', batch: 128, rate: 267, year: 2014, source: convnet },
  { device: 'Titan Black', software: 'cuDNN R2', batch: 128, rate: 354, year: 2014, source: convnet },
  { device: 'Titan Black', software: 'cuda-convnet2', batch: 128, rate: 465, year: 2014, source: convnet },
  { device: 'Titan X (Maxwell)', software: 'cuDNN R4, f32', batch: 128, rate: 1580, year: 2016, source: convnet },
  {
    device: 'Tesla P100',
    software: 'TensorFlow',
    batch: 512,
    rate: 2987,
    year: 2017,
    source: 'TensorFlow documentation, benchmarks',
  },
  { device: 'Tesla V100', software: 'TensorFlow, f16', batch: 3072, rate: 9319, year: 2018, source: lambda },
  { device: 'A100 40 GB', software: 'TensorFlow, f16', batch: 3584, rate: 16_487, year: 2020, source: lambda },
]

/** Seconds as days, hours or minutes. */
export function duration(seconds: number): string {
  if (seconds >= 86_400) return `${(seconds / 86_400).toFixed(1)} days`
  if (seconds >= 3600) return `${(seconds / 3600).toFixed(1)} h`
  return `${(seconds / 60).toFixed(1)} min`
}

/** How long 90 epochs of ILSVRC-2012 take. */
export function ninetyEpochs(rate: number): string {
  return duration(imagesOf90Epochs / rate)
}
