// Texts: vocabularies, files, windows of parallel streams, the measures of translations.
export { END_OF_LINE, type TextUnit, tokensOf, UNKNOWN, Vocabulary, type VocabularyData } from './vocabulary.js'
export { readText, text, type Text, type TextHalves, type TextOptions } from './text.js'
export { type WindowBatch, windowFields, type WindowOptions, windows, windowsPerEpoch } from './windows.js'
export { bleu, type BleuOptions, type BleuScore, type BleuSmoothing, sentenceBleu } from './bleu.js'
export { chrf, type ChrfOptions, type ChrfScore, sentenceChrf } from './chrf.js'
