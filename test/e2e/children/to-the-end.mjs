// The rest of a process that the test kills: trains, from a checkpoint where one is given, and says each step, and at the end
// a hash of all that is saved.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

export async function toTheEnd(session, folder, checkpoint) {
  if (checkpoint !== undefined) await session.resume(checkpoint)
  for await (const event of session.events()) if (event.type === 'step') process.stdout.write(`step ${event.step}\n`)
  await session.dispose()
  const hash = createHash('sha256')
    .update(await readFile(join(folder, 'last.safetensors')))
    .digest('hex')
  process.stdout.write(`hash ${hash}\n`)
}
