// A made-up sound in which made-up symbols are heard, for what draws it.
import type { HeardWord, TranscribedSound } from '../../lib/report/transcribed-sound.js'

/** What is heard where: so much of a symbol in a frame. */
export interface Heard {
  readonly frame: number
  readonly symbol: number
  readonly chance: number
}

/** Chances [frames, classes]: what is heard, and the rest for the blank. */
export function chancesOf(frames: number, classes: number, heard: readonly Heard[]): Float32Array {
  const chances = new Float32Array(frames * classes)
  for (const { frame, symbol, chance } of heard) chances[frame * classes + symbol] = chance
  for (let t = 0; t < frames; t++) {
    const sum = chances.subarray(t * classes + 1, (t + 1) * classes).reduce((all, chance) => all + chance, 0)
    chances[t * classes] = 1 - sum
  }
  return chances
}

/** `seconds` of a tone of 8 Hz at 1000 Hz, with a frame each 10 ms: filter 0 of 4 is loud, the others louder by time. */
export function heardSound(
  seconds: number,
  heard: readonly Heard[],
  words: readonly HeardWord[],
  symbols: readonly string[] = ['', 'a', 'b', ' '],
): TranscribedSound {
  const frames = Math.round(seconds * 100)
  return {
    title: 'made.wav',
    samples: Float32Array.from({ length: 1000 * seconds }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 8 * i) / 1000)),
    rate: 1000,
    banks: {
      values: Float32Array.from({ length: 4 * frames }, (_, i) => (i % 4 === 0 ? 5 : (4 * Math.floor(i / 4)) / frames)),
      ...{ bands: 4, shift: 0.01, low: 0, high: 500 },
    },
    chances: { values: chancesOf(frames, symbols.length, heard), symbols, shift: 0.01 },
    text: words.map(({ text }) => text).join(' '),
    words,
  }
}
