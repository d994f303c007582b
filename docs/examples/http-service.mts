// A service that answers over HTTP while it trains: requests are served between steps, as training runs on threads of the addon.
import { createServer } from 'node:http'
import { once } from 'node:events'
import { nn, optim, train } from 'ostrich'
import { arrays } from 'ostrich/data'

const x = Float32Array.from({ length: 2000 * 4 }, (_, i) => Math.sin(i) + (Math.floor(i / 4) % 2))
const target = Int32Array.from({ length: 2000 }, (_, i) => i % 2)
const set = arrays({ x: { data: x, shape: [4] }, target })
const net = nn.sequential(nn.linear(4, 64), nn.relu(), nn.linear(64, 2))
const session = await train.session(net, {
  data: { train: set, validation: set },
  loss: nn.crossEntropy,
  optimizer: optim.adam({ rate: 0.01 }),
  batch: 50,
  epochs: 10,
})

const server = createServer(async (request, response) => {
  try {
    const numbers = new URL(request.url ?? '/', 'http://localhost').searchParams.get('x')?.split(',').map(Number) ?? []
    const [no = 0, yes = 0] = await session.predict(Float32Array.from(numbers))
    response.end(JSON.stringify({ answer: yes > no }))
  } catch (error) {
    response.writeHead(400).end(JSON.stringify({ error: String(error) }))
  }
})
server.listen(0)
await once(server, 'listening')
const address = server.address()
const port = address !== null && typeof address === 'object' ? address.port : 0

const training = session.run()
const answer = await fetch(`http://localhost:${port}/?x=1.2,1.3,0.9,1.1`)
console.log('while it trains:', answer.status, await answer.text())
console.log('a wrong request:', (await fetch(`http://localhost:${port}/?x=1`)).status)
const end = await training
server.close()
await session.dispose()
console.log('accuracy:', end.validation.accuracy)
