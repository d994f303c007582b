// The networks, one file each.
export { alexnet, type AlexnetConfig, imagenetAlexnet } from './alexnet.js'
export { alexnetOneTower, type AlexnetOneTowerConfig, imagenetOneTower } from './alexnet-one-tower.js'
export { cifar10Local, cifarLocal, type CifarLocalConfig } from './cifar-local.js'
export { cifar10Convnet, cifarConvnet, type CifarConvnetConfig } from './cifar-convnet.js'
export { houseNumbers, type HouseNumbersConfig, smallHouseNumbers, streetViewNumbers } from './house-numbers.js'
export {
  likeliestNumbers,
  type LikeliestNumbers,
  numberCosts,
  type NumberHeads,
  numberHeads,
  type NumberLabels,
  rightNumbers,
} from './number-heads.js'
export { lenet, type LenetConfig, mnistLenet } from './lenet.js'
export { awdLstm, type AwdLstmConfig, ptbAwd } from './awd-lstm.js'
export { charLstm, lstmLm, type LstmLmConfig, ptbLstm } from './lstm-lm.js'
export { charMrnn, mrnnLm, type MrnnLmConfig } from './mrnn-lm.js'
export { maxoutNetwork, type MaxoutConfig, mnistMaxout } from './maxout.js'
export { ownWordLogits } from './own-words.js'
export { mlp, type MlpConfig, mnistMlp } from './mlp.js'
export { resnet20, resnetCifar, type ResnetCifarConfig } from './resnet-cifar.js'
export { mnistSigmoidMlp, sigmoidMlp, sigmoidMlpLayers, type SigmoidMlpConfig } from './sigmoid-mlp.js'
export {
  mnistSparseAutoencoder,
  sparseAutoencoder,
  type SparseAutoencoder,
  type SparseAutoencoderConfig,
} from './sparse-autoencoder.js'
export {
  gravesFeatures,
  gravesSpeech,
  speech,
  type Speech,
  type SpeechConfig,
  type SpeechFeatures,
  type SpeechRun,
} from './speech.js'
export { brownTagger, sameTags, tagCosts, type TagCosts, tagger, type TaggerConfig } from './tagger.js'
export {
  attentionTranslator,
  type AttentionTranslatorConfig,
  smallAttentionTranslator,
} from './attention-translator.js'
export { lstmTranslator, type LstmTranslatorConfig, smallLstmTranslator } from './lstm-translator.js'
export {
  smallTransformerTranslator,
  transformerTranslator,
  type TransformerTranslatorConfig,
} from './transformer-translator.js'
export type { StatesByName, Reading, Translator, Written } from './translator.js'
export { compositeLstm, type CompositeLstmConfig, srivastavaComposite } from './composite-lstm.js'
export {
  convLstmForecaster,
  type ConvLstmForecasterConfig,
  shiConvLstm,
  smallConvLstm,
} from './conv-lstm-forecaster.js'
export { nextFrameConvLstm } from './next-frame-conv-lstm.js'
export type { Film, Forecast, ForecastCall, Forecaster } from './forecaster.js'
