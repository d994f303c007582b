// The use of a trained network: predictions, measures, sequences that are drawn and completed, translations, transcripts.
export { type EvaluateOptions, load, type LoadOptions, type Model } from './model.js'
export type { OnnxOptions } from './onnx/save.js'
export {
  type Completer,
  completer,
  type CompleterOptions,
  type Completion,
  keystrokes,
  type Keystrokes,
} from './completer.js'
export { type DrawOptions, type Drawn, type Sampler, type SamplerOptions } from './sampler.js'
export { beamSearch, type BeamSearch } from './beam-search.js'
export type { BeamSearchOptions, SampleOptions } from './beam-options.js'
export { ensembleOf } from './ensemble.js'
export { type EnsembleMember, loadEnsemble } from './load-ensemble.js'
export type { Writer } from './writer.js'
export type { Hypothesis, Ranking } from './hypotheses.js'
export {
  type LineTranslation,
  lineTranslator,
  type LineTranslator,
  type LineTranslatorOptions,
  type Looked,
  type TranslateOptions,
} from './line-translator.js'
export { translationScores, type TranslationScores, type TranslationScoresOptions } from './translation-scores.js'
export { decoder, type Decoder } from './decoder.js'
export type {
  Compiler,
  DecoderOptions,
  DecoderProgram,
  Extents,
  InputArrays,
  InputTensors,
  StateExtents,
  StateTensors,
  Stepped,
} from './decoder-types.js'
export { ctcAlignment, type LabelSpan } from './ctc/alignment.js'
export type { FrameOptions } from './ctc/emissions.js'
export { ctcGreedy } from './ctc/greedy.js'
export {
  type CtcHypothesis,
  prefixBeamSearch,
  type PrefixBeamSearch,
  type PrefixBeamSearchOptions,
} from './ctc/prefix-beam-search.js'
export type { TimedWord, Transcript } from './ctc/transcript.js'
export { framePredictor, type FramePredictor, type FramePredictorOptions } from './frame-predictor.js'
export { networkLanguageModel, type NetworkLanguageModelOptions } from './network-language-model.js'
export {
  type Heard,
  type Listener,
  type SoundTranscript,
  type SpokenWord,
  transcriber,
  type Transcriber,
  type TranscriberOptions,
} from './transcriber.js'
export {
  decodeNumbers,
  type NumberGuess,
  type NumberPredictor,
  type NumberReading,
  readNumbers,
} from './number-reader.js'
export { KeyedVectors } from './vectors/keyed-vectors.js'
export type { KeyedVectorsData } from './vectors/table.js'
export type { PlacedWord, WordPlane } from './vectors/plane.js'
export type { MostSimilarOptions, SimilarityMethod, SimilarWord, WordOrVector } from './vectors/similar.js'
export type { AnalogiesOptions, AnalogyScores, AnalogyTally, PairScores, PairsOptions } from './vectors/evaluate.js'
export type { AnalogyCategory, WordPair } from './vectors/word-lists.js'
export type { Nearest, SearchOptions, SearchPlace, VectorSearch } from './vectors/search.js'
export type { LoadVectorsOptions, VectorFormat } from './vectors/vector-files.js'
export { readDictionary, type Translation } from './vectors/dictionary.js'
export { type RefineOptions, refineVectorMap } from './vectors/refine.js'
export { learnVectorMap, type VectorMap, type VectorMapOptions, type WordSpace } from './vectors/vector-map.js'
export {
  wordTranslator,
  type WordTranslator,
  type WordTranslatorOptions,
  type WordTranslatorScores,
} from './vectors/translator.js'
