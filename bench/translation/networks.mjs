// The translators that are measured, in the extents that `models` gives for Multi30k, and what they learn by.
import { models, nn, ops } from '../steps/library.mjs'

/** `batch`: pairs in a step of training. */
export const networks = {
  attention: { make: models.attentionTranslator, config: models.smallAttentionTranslator, batch: 32 },
  lstm: { make: models.lstmTranslator, config: models.smallLstmTranslator, batch: 128 },
  transformer: { make: models.transformerTranslator, config: models.smallTransformerTranslator, batch: 128 },
}

/** Without dropout, of which two libraries draw different masks. */
export function still(config) {
  const { dropout } = config
  const none = typeof dropout === 'number' ? 0 : Object.fromEntries(Object.keys(dropout).map((name) => [name, 0]))
  return { ...config, dropout: none }
}

/** Mean loss over the words of the translations, their ends counted. */
export const objectiveOf =
  (net) =>
  ({ source, input, target, sourceLengths, targetLengths }) => {
    const mask = ops.sequenceMask(targetLengths, target.shape[0])
    return { loss: nn.crossEntropy(net.logits(source, sourceLengths, input), target, { mask }) }
  }

/** Of each parameter by its path, what a safetensors file holds. */
export const weightsOf = async (store) => {
  const values = await store.read()
  return Object.fromEntries(
    store.parameters().map(({ name, variable: { shape } }) => [name, { dtype: 'F32', shape, data: values[name] }]),
  )
}
