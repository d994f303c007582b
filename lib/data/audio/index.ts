// Sounds: files of them, their rate, and spoken lines as data sets.
export type { Sound } from './sound.js'
export type { Channel, RawFormat, SampleEncoding } from './pcm.js'
export { encodeWav, writeWav } from './wav.js'
export { readSound, type ReadSoundOptions } from './read-sound.js'
export { type FolderSounds, type NamedSound, readSounds, type ReadSoundsOptions } from './read-sounds.js'
export { resample } from './resample.js'
export {
  type Labels,
  type SpeechFields,
  type SpeechOptions,
  type SpeechParts,
  speechSet,
  type SpeechSet,
  speechSets,
  type SpeechSets,
  type Utterance,
} from './speech-set.js'
export type { GetCorpusOptions } from './corpus-source.js'
