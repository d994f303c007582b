// The training of the recipe moving-mnist-small on few sequences, which the test kills: node video.mjs FOLDER DIGITS [CHECKPOINT], DIGITS a folder
// with MNIST's files. Says each step on stdout, and at its end a hash of all weights and moments.
import { movingMnist } from '../../../dist/data/index.js'
import { movingMnistSmall, planSession } from '../../../dist/recipes/index.js'
import { toTheEnd } from './to-the-end.mjs'

const [folder, dir, checkpoint] = process.argv.slice(2)
const data = await movingMnist({ dir, train: 10, validation: 2 })
const session = await planSession(movingMnistSmall.build({ batch: 2, epochs: 2 }), {
  data: { train: data.train, validation: data.validation },
  ...{ seed: 11, threads: 1, device: 'cpu', precision: process.env.PRECISION, folder },
  checkpointEvery: { steps: 3 },
})
await toTheEnd(session, folder, checkpoint)
