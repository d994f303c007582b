// Lines that are hard to cut, to write or to read, and tokenizers as Hugging Face's library has them.
import * as library from '@huggingface/tokenizers'
import { PhiloxStream, type Tokenizer } from '../../lib/data/index.js'

const noise = new PhiloxStream(11, 0, 0)
const pick = <T>(from: readonly T[]): T => from[noise.below(from.length)]!
/** What is hard to cut, to write or to read, and what is not. */
const symbols = [
  ...Array.from("aaabbcdeé'’st ßÄöΣς中文あ🙂👩‍👧🇩🇪0123٣½.,!?-—«<>/|_"),
  ...[' ', '  ', '\t', '\n', '\u00a0', '\u2028', '\ufeff', '\u0301', '\u0000', '\u0085', '\u{10ffff}', '\ufffd'],
  ...["'s", "'LL", ' the', 'ing', 'Ġ', 'Ā', '<pad', 'unk', '__proto__', '0x0A'],
]
export const hostile = Array.from({ length: 600 }, (_, i) =>
  Array.from({ length: i % 40 }, () => pick(symbols)).join(''),
)
/** Without what their library reads as a special token. */
export const readAlike = hostile.filter((line) => !/<(?:pad|s|\/s|unk)>/.test(line))
const words = [
  'Ein',
  'ein',
  'einem',
  'Mann',
  'Männer',
  'mannhaft',
  'fährt',
  'fahren',
  'Fahrrad',
  '.',
  'aaaa',
  'aaaaaaa',
  'abab',
]
export const plain = Array.from({ length: 400 }, () =>
  Array.from({ length: 1 + noise.below(9) }, () => pick(words)).join(' '),
)

/** The contents of `tokenizer.json`, as far as tests look into them. */
export interface Json {
  readonly added_tokens: { content: string }[]
  readonly normalizer: object
  readonly model: { readonly vocab: Record<string, number>; readonly merges: string[]; type: string }
}
export const jsonOf = (tokenizer: Tokenizer): Json => JSON.parse(JSON.stringify(tokenizer)) as Json

/** What tests use of their tokenizer: the package's own types import files by names that `nodenext` does not find. */
interface TheirTokenizer {
  encode(text: string): { readonly ids: number[] }
  decode(ids: number[], options: { readonly clean_up_tokenization_spaces: boolean }): string
  get_vocab(): ReadonlyMap<string, number>
}
const { Tokenizer: Theirs } = library as unknown as {
  readonly Tokenizer: new (json: object, config: object) => TheirTokenizer
}

/** The same tokenizer in Hugging Face's library. */
export function theirs(tokenizer: Tokenizer): TheirTokenizer {
  return new Theirs(jsonOf(tokenizer), { unk_token: '<unk>' })
}

/** Their line of numbers, as they are; their own default tidies spaces before punctuation. */
export const theirLine = (tokenizer: TheirTokenizer, ids: readonly number[]): string =>
  ids.length === 0 ? '' : tokenizer.decode([...ids], { clean_up_tokenization_spaces: false })
