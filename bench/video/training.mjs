// node bench/video/training.mjs [--peers] [--only small,shi] [--precision f32,bf16] [--batches 4] [--rounds 5] [--modes eager,compiled]
//   [--threads N] [--name video-training] [--check] [--dry]
// Milliseconds of a training step of networks that predict frames, beside the same networks in PyTorch: from the same weights, on the same
// sequences in the same order, by Adam. The losses of the first time over the batches must be the same on both sides. Prints a table and writes
// bench/results/NAME.json. With --check there is no measuring, and f32 is held to PyTorch's float64. `--only tiny` tries the benchmark itself.
import { trainingBenchmark } from '../trainings-beside.mjs'
import { networks } from './networks.mjs'

await trainingBenchmark({
  here: import.meta.dirname,
  peer: 'torch_video_steps.py',
  networks,
  defaults: { only: 'small,shi', batches: '4', name: 'video-training' },
  title: 'video',
  taskOf: (network, how) => ({ ...networks[network], ...how }),
})
