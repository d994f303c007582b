// Opens a session: checks its options and data, opens the device, compiles the training program, fills the memory.
import { stat } from 'node:fs/promises'
import { OstrichError } from '../base/index.js'
import { DataError } from '../data/index.js'
import { resolve, type SessionOptions } from './options.js'
import { openPlace } from './place.js'
import { Programs } from './programs.js'
import { Session } from './session.js'
import { sourcesOf } from './source.js'
import { StateStore } from './state.js'
import { checkFields, type Network } from './task.js'
import { Trainer } from './trainer.js'
import { Weights } from './weights.js'

/**
 * Opens a device, compiles the training program and initialises every variable.
 * @throws OstrichError `ERR_OPTION`, DataError, ShapeError from the network, `ERR_NO_DEVICE`
 * @example
 * const session = await train.session(net, { data: await mnist(), loss: nn.crossEntropy, optimizer: optim.sgd({ rate: 0.1 }), batch: 128 })
 */
export async function session(net: Network, options: SessionOptions): Promise<Session> {
  const resolved = resolve(net, options)
  if (resolved.folder !== undefined) await expectNoFile(resolved.folder)
  const sources = sourcesOf(resolved.data, resolved.window)
  checkFields('session[data]', sources.train.fields)
  if (sources.validation) checkFields('session[data.validation]', sources.validation.fields, sources.train.fields['x'])
  sources.train.steps(resolved.batch)
  if (sources.train.views > 1) {
    throw new DataError(`session[data]: expected one view of each training example, got ${sources.train.views}`)
  }
  if (resolved.optimizer.averaging?.waits === true && sources.validation === undefined) {
    const expected = 'expected validation data, whose loss says when to average the weights, got none'
    throw new OstrichError('ERR_OPTION', `session[data]: ${expected}`)
  }
  const place = await openPlace(resolved)
  const store = new StateStore(place.device)
  const programs = new Programs(place.device, store, resolved.seed, resolved.explain)
  try {
    const { optimizer, batch } = resolved
    const { fields } = sources.train
    const { precision } = place
    const trainer = await Trainer.create(programs, { task: resolved, fields, batch, optimizer, precision })
    const weights = await Weights.create(programs, optimizer.averaging, trainer.parameters)
    return new Session({ options: resolved, sources, place, store, programs, trainer, weights })
  } catch (error) {
    await place.device.dispose()
    throw error
  }
}

/** A run is not to find out at its first checkpoint that its folder is a file. */
async function expectNoFile(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined)
  if (found === undefined || found.isDirectory()) return
  throw new OstrichError('ERR_OPTION', `session[folder]: expected a folder, got the file ${folder}`)
}
