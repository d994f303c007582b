// node bench/numbers/training.mjs [--peers] [--only street,small] [--precision f32,bf16] [--batches 4] [--rounds 5] [--modes eager,compiled]
//   [--threads N] [--name number-training] [--check] [--dry]
// Images of house numbers that a network trains on in a second, from bytes to the loss of its six heads, beside the same network in PyTorch: from the
// same weights, on the same made-up batches in the same order, by Adam, without dropout, whose draws differ. The losses of the first time over the
// batches must be the same on both sides. Prints a table and writes bench/results/NAME.json. With --check there is no measuring, and f32 is held to
// PyTorch's float64. `--only tiny` tries the benchmark itself.
import { trainingBenchmark } from '../trainings-beside.mjs'
import { networks } from './networks.mjs'

await trainingBenchmark({
  here: import.meta.dirname,
  peer: 'torch_number_steps.py',
  networks,
  defaults: { only: 'street,small', batches: '4', name: 'number-training' },
  title: 'house-numbers',
  taskOf: (network, how) => ({ network, ...networks[network], ...how }),
  counted: 'images',
})
