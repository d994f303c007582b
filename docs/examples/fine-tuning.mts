// Going on from trained weights: the convolutions of what `ostrich train cifar10` left, frozen, under a new last layer for one's own folder of images.
import { nn, optim, train } from 'ostrich'
import { packedImages, packImages } from 'ostrich/data'
import { cifar10Convnet, cifarConvnet } from 'ostrich/models'
import { cifar10 } from 'ostrich/recipes'

await packImages('photos', 'packed-pets', { size: 32, share: 0.2 })
const photos = await packedImages('packed-pets', { augment: { pad: 2, mirror: true } })
const net = cifarConvnet({ ...cifar10Convnet, classes: photos.classes.length })

const session = await train.session(net, {
  data: photos,
  inputs: cifar10.build().inputs ?? {},
  loss: nn.crossEntropy,
  optimizer: optim.sgd({ rate: 0.01, momentum: 0.9, groups: [{ match: '**/conv*/*', frozen: true }] }),
  batch: 16,
  epochs: 8,
})
const { taken } = await session.load('runs/cifar10/last.safetensors', { only: '**/conv*/*' })
console.log(`${taken.length} tensors taken`)
const end = await session.run()
await session.save('pets.safetensors')
await session.dispose()
await photos.close()
console.log('accuracy:', end.validation.accuracy)
