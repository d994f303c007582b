// Public names of house numbers: what reads, packs and composes them is loaded when it is first called.
import { expectOptions, is } from '../../base/index.js'
import { fetchOptions } from '../fetch-options.js'
import { holdBackOptions } from '../hold-back.js'
import type { GetSvhnStripsOptions } from './get-svhn-strips.js'
import type { NumberStrips, NumberStripsOptions } from './strips.js'
import type { SvhnDigits, SvhnDigitsOptions } from './svhn-digits.js'
import type { SvhnStrips, SvhnStripsOptions } from './svhn-strips.js'
import type { GetSvhnOptions, Svhn, SvhnOptions } from './svhn.js'

export type { GetSvhnStripsOptions } from './get-svhn-strips.js'
export type { NumberFields, NumberSet } from './number.js'
export type { NumberStrips, NumberStripsOptions } from './strips.js'
export type { DigitSet, SvhnDigits, SvhnDigitsOptions } from './svhn-digits.js'
export type { SvhnStrips, SvhnStripsOptions } from './svhn-strips.js'
export type { GetSvhnOptions, Svhn, SvhnOptions } from './svhn.js'

/**
 * House numbers of one to five of MNIST's digits, composed by chance: leaning, closer or wider apart, in colours of much or little
 * contrast that change over the image, with noise and pieces of other digits at the edges. Training images are others in every epoch;
 * those of `test` are always the same, on every machine, as long as `version` is.
 *
 * Fields: `x` u8 [3, 54, 54]; `length` i32, 1 to 5, all equally often; `digits` i32 [5], 0 where there is none; `mask` u8 [5], 1 where there is one.
 *
 * @returns 50,000 training images an epoch, 5,000 for validation, 10,000 to test by; 55 MB of memory
 * @throws DataError where MNIST is absent (the message says how to get it) or damaged, or an option is out of range; OstrichError `ERR_OPTION`
 * @example
 * const { train, test } = await numberStrips({ workers: 1 })
 */
export async function numberStrips(options: NumberStripsOptions = {}): Promise<NumberStrips> {
  const one = is.anything
  expectOptions('numberStrips', options, { dir: is.text, train: one, validation: one, workers: one })
  const made = await import('./strips.js')
  return made.numberStrips(options)
}

/**
 * Street View House Numbers, whole numbers, from where `getSvhn` put them: a random 54 x 54 of 64 x 64 pixels in training, the middle
 * elsewhere. For non-commercial use, as its authors say.
 *
 * Fields: `x` u8 [3, 54, 54]; `length` i32, 1 to 5, and 6 for more than five; `digits` i32 [5], 0 where there is none; `mask` u8 [5], 1 where
 * there is one, and nowhere in a number of more than five.
 *
 * @throws DataError where it is absent (the message says how to get it) or damaged, or an option is out of range; OstrichError `ERR_OPTION`
 * @see Goodfellow, Bulatov, Ibarz, Arnoud & Shet 2014, arXiv:1312.6082; Netzer et al. 2011
 * @example
 * const { train, validation, test } = await svhn({ workers: 2 })
 */
export async function svhn(options: SvhnOptions = {}): Promise<Svhn> {
  expectOptions('svhn', options, { dir: is.text, workers: is.anything, ...holdBackOptions })
  const read = await import('./svhn.js')
  return read.svhn(options)
}

/**
 * Puts Street View House Numbers (format 1) into the cache: the box around all digits of an image, 30 % larger, as 64 x 64 pixels. Images
 * that are damaged, or whose box is outside, are left out and named in `packed/bad.json`. Stopped, it goes on when it is called again.
 *
 * `from` has folders train and test, and extra where it is wanted, each with its PNG files and `digitStruct.mat` (read by h5wasm, once, and
 * kept as JSON), `digitStruct.json` or `digitStruct.csv`. Without it, what is in the cache is left as it is.
 *
 * @returns the folder that holds the data
 * @throws DataError where there is nothing to read, a list is none, or sharp or h5wasm is absent; OstrichError `ERR_OPTION`
 * @example
 * await getSvhn({ from: 'svhn', workers: 4 })
 */
export async function getSvhn(options: GetSvhnOptions = {}): Promise<string> {
  expectOptions('getSvhn', options, { ...fetchOptions, from: is.text, workers: is.anything })
  const read = await import('./svhn.js')
  return read.getSvhn(options)
}

/**
 * Street View House Numbers, single digits of 32 x 32 (format 2), from train_32x32.mat and test_32x32.mat: 73,257 and 26,032 of them. For
 * non-commercial use, as its authors say.
 *
 * @returns a twelfth of the training images held back, at most 5,000; 300 MB of memory
 * @throws DataError where a file is absent, damaged, or not of images and digits, or an option is out of range; OstrichError `ERR_OPTION`
 * @see Netzer, Wang, Coates, Bissacco, Wu & Ng 2011, "Reading digits in natural images with unsupervised feature learning"
 * @example
 * const { train, validation, test } = await svhnDigits({ dir: 'svhn' })
 */
export async function svhnDigits(options: SvhnDigitsOptions = {}): Promise<SvhnDigits> {
  expectOptions('svhnDigits', options, { dir: is.text, extra: is.flag, ...holdBackOptions })
  const read = await import('./svhn-digits.js')
  return read.svhnDigits(options)
}

/**
 * House numbers to train on that are composed of digits of photographs (crops of Street View House Numbers) and, every other one, of MNIST's digits, and
 * whole numbers of other photographs to test by, from where `getSvhnStrips` put them. For non-commercial use, as the authors of the photographs say.
 *
 * Crops of several photographs stand side by side in the colours of the first, as long as numbers of SVHN are, and are cut as these are read: the box
 * around all digits, about 30 % larger. Contrast, brightness, noise and sharpness vary; one of four is inverted.
 *
 * Fields: `x` u8 [3, 54, 54]; `length` i32, 1 to 5; `digits` i32 [5], 0 where there is none; `mask` u8 [5], 1 where there is one.
 *
 * @returns 50,000 training images an epoch, others in each; 2,000 for validation, of photographs that are held back; 75 MB of memory
 * @throws DataError where it or MNIST is absent (the message says how to get it) or damaged, or an option is out of range; OstrichError `ERR_OPTION`
 * @see Netzer, Wang, Coates, Bissacco, Wu & Ng 2011, "Reading digits in natural images with unsupervised feature learning"
 * @example
 * const { train, validation, test } = await svhnStrips({ workers: 1 })
 */
export async function svhnStrips(options: SvhnStripsOptions = {}): Promise<SvhnStrips> {
  const one = is.anything
  expectOptions('svhnStrips', options, { dir: is.text, mnist: is.text, train: one, validation: one, workers: one })
  const made = await import('./svhn-strips.js')
  return made.svhnStrips(options)
}

/**
 * Puts crops of digits and whole numbers of Street View House Numbers into the cache. `from` has svhn-32x32-test-part.tar.gz and
 * svhn-format1-first256.tar.gz, or the folders svhn-32x32-test-part and svhn in them: crops with `labels.tsv`, and images of train and test with
 * `train.tsv` and `test.tsv`. Crops of a photograph whose whole number is in test are left out.
 *
 * Without `from`, what is in the cache is left as it is. The package sharp decodes the images.
 *
 * @returns the folder that holds the data
 * @throws DataError naming the file that is absent, damaged or no such list; where sharp is absent; OstrichError `ERR_OPTION`
 * @example
 * await getSvhnStrips({ from: 'svhn' })
 */
export async function getSvhnStrips(options: GetSvhnStripsOptions = {}): Promise<string> {
  expectOptions('getSvhnStrips', options, { ...fetchOptions, from: is.text })
  const read = await import('./get-svhn-strips.js')
  return read.getSvhnStrips(options)
}
