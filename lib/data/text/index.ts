// Texts: vocabularies, files, windows of parallel streams.
export { END_OF_LINE, type TextUnit, tokensOf, UNKNOWN, Vocabulary, type VocabularyData } from './vocabulary.js'
export { readText, text, type Text, type TextHalves, type TextOptions } from './text.js'
export { type WindowBatch, windowFields, type WindowOptions, windows, windowsPerEpoch } from './windows.js'
