// What makes numbers of a line of text and a line of numbers, whatever its tokens are.

/** The tokens that stand for no text, in the order of their numbers. */
export const SPECIAL_TOKENS = ['<pad>', '<s>', '</s>', '<unk>'] as const

/** Numbers of the tokens that stand for no text: behind the end of a line, before its beginning, its end, what is in no vocabulary. */
export interface SpecialIds {
  readonly pad: number
  readonly bos: number
  readonly eos: number
  readonly unk: number
}

/** They are the same in every tokenizer, so that a network needs to know no other. */
export const specialIds: SpecialIds = { pad: 0, bos: 1, eos: 2, unk: 3 }

/** Makes tokens of a line of text, and a line of tokens: `Subwords` and `Words` are two. */
export interface Tokenizer {
  /** Different tokens, V; their numbers are 0 to V - 1. */
  readonly size: number
  readonly special: SpecialIds
  /** Whether lines are read, and so come back, in lower case. */
  readonly lowercase: boolean
  /** The numbers of a line, without a beginning and an end. Text that reads like a special token is text. */
  encode(line: string): Int32Array
  /**
   * The line of numbers; padding, beginnings and ends leave nothing, what is unknown reads `<unk>`.
   * @throws DataError for a number that is none of a token
   */
  decode(ids: Iterable<number>): string
  /** The contents of Hugging Face's `tokenizer.json`, which `tokenizerOf` reads. */
  toJSON(): object
}
