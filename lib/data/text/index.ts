// Texts: vocabularies, files, windows of parallel streams; lines of text as tokens, and back; n-gram models; the measures of translations and
// of recognition; corpora for word vectors, and what is drawn of them.
export { END_OF_LINE, type TextUnit, tokensOf, UNKNOWN, Vocabulary, type VocabularyData } from './vocabulary.js'
export { readText, text, type Text, type TextHalves, type TextOptions } from './text.js'
export { type WindowBatch, windowFields, type WindowOptions, windows, windowsPerEpoch } from './windows.js'
export { bleu, type BleuOptions, type BleuScore, type BleuSmoothing, sentenceBleu } from './bleu.js'
export { chrf, type ChrfOptions, type ChrfScore, sentenceChrf } from './chrf.js'
export { readTokenizer, tokenizerOf, writeTokenizer } from './tokenizer-file.js'
export type { SpecialIds, Tokenizer } from './tokenizer.js'
export { Subwords, type SubwordsOptions } from './subwords.js'
export { Words, type WordsOptions } from './words.js'
export {
  type LinePairs,
  type PairedFiles,
  parallelText,
  type ParallelText,
  type ParallelTextOptions,
} from './parallel-text.js'
export {
  translationSet,
  translationSets,
  type TranslationFields,
  type TranslationOptions,
  type TranslationSet,
  type TranslationSets,
} from './translation.js'
export { Alphabet, type AlphabetData } from './alphabet.js'
export { editAlignment, type EditedPlace, type Edits } from './edits.js'
export {
  characterErrorRate,
  type CharacterErrorRateOptions,
  type ErrorRate,
  phonemeErrorRate,
  type PhonemeErrorRateOptions,
  wordErrorRate,
  type WordErrorRateOptions,
} from './error-rates.js'
export { timitPhonemes } from './phonemes.js'
export type { Histories, LanguageModel } from './language-model.js'
export { NgramModel } from './ngram-model.js'
export { type ArpaOptions, readArpa, writeArpa } from './arpa.js'
export { learnNgrams, type NgramOptions, type NgramSmoothing } from './learn-ngrams.js'
export { corpus, type Corpus, type CorpusPiece, type CorpusProgress } from './corpora/corpus.js'
export { countWords, type CountWordsOptions, type WordCounts } from './corpora/word-counts.js'
export { readWordCounts, writeWordCounts } from './corpora/count-files.js'
export { encodedLines, type EncodedBlock } from './corpora/encoded-lines.js'
export { hasTokens, TokenFile, writeTokens, type WriteTokensOptions } from './corpora/token-file.js'
export { learnPhrases, type Phrase, type Phrases, type PhrasesOptions } from './corpora/phrases.js'
export { keepProbabilities, Sentences, type SentencesOptions } from './corpora/subsampling.js'
export { skipGrams, type SkipGrams, DynamicWindows } from './corpora/windows-around.js'
export { AliasTable, negativeWeights } from './corpora/alias-table.js'
export { type HuffmanCodes, huffmanCodes } from './corpora/huffman.js'
