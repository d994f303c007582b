// node bench/speech/training.mjs [--peers] [--only graves] [--precision f32,bf16] [--batches 6] [--rounds 5] [--modes eager,compiled,padded]
//   [--threads N] [--name speech-training] [--check] [--dry]
// Frames that a network over sound trains on in a second, from samples to the loss of connectionist temporal classification, beside the same
// network in PyTorch: from the same weights, on the same made-up batches in the same order, by Adam. The losses of the first time over the batches
// must be the same on both sides. Prints a table and writes bench/results/NAME.json. With --check there is no measuring, and f32 is held to PyTorch's
// float64. `--only tiny` tries the benchmark itself.
import { rounded } from '../report.mjs'
import { trainingBenchmark } from '../trainings-beside.mjs'
import { filtersOf, networks, withMoments } from './networks.mjs'
import { madeUpLines } from './sounds.mjs'

await trainingBenchmark({
  here: import.meta.dirname,
  peer: 'torch_speech_steps.py',
  networks,
  defaults: { only: 'graves', batches: '6', modes: 'eager,compiled,padded', name: 'speech-training' },
  title: 'speech',
  async taskOf(network, { threads, batches }) {
    const { config: own, batch, rate, ...lines } = networks[network]
    const set = madeUpLines(batches * batch, { ...lines, classes: own.classes })
    const config = await withMoments(own, set, threads)
    const filters = await filtersOf(config.features.banks)
    return { network, config, filters, batch, threads, rate, batches }
  },
  counted: 'frames',
  more: ({ padding }) => [['padding', rounded(padding), 'share']],
})
