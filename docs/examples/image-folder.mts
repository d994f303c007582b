// A folder of images, one folder for each class (photos/cat/*.jpg, photos/dog/*.jpg), packed once and learned. Run: npm install sharp, then this file.
import { nn, optim, train } from 'ostrich'
import { packedImages, packImages } from 'ostrich/data'

await packImages('photos', 'packed-photos', { size: 32, share: 0.2 })
const photos = await packedImages('packed-photos', { augment: { pad: 2, mirror: true } })

const net = nn.sequential(
  nn.conv2d(3, 16, { kernel: 3, padding: 1, bias: false }),
  nn.batchNorm(16),
  nn.relu(),
  nn.maxPool2d(2),
  nn.conv2d(16, 32, { kernel: 3, padding: 1, bias: false }),
  nn.batchNorm(32),
  nn.relu(),
  nn.maxPool2d(2),
  nn.globalAvgPool2d(),
  nn.flatten(),
  nn.linear(32, photos.classes.length),
)
const [batch, epochs] = [16, 20]
const total = epochs * Math.floor(photos.train.length / batch) // steps of the whole run
const session = await train.session(net, {
  data: photos,
  loss: nn.crossEntropy,
  optimizer: optim.adamW({ rate: optim.oneCycle(0.01, { total }), weightDecay: 0.01 }),
  batch,
  epochs,
  monitor: 'accuracy',
})
for await (const event of session.events()) {
  if (event.type === 'epoch' && event.epoch % 5 === 0) console.log(event.epoch, event.loss.toFixed(3))
  if (event.type === 'end') console.log('accuracy:', event.validation.accuracy)
}
await session.dispose()
await photos.close()
