// Windows: what the samples of a frame are multiplied by.

/** A window's name. */
export type WindowName = 'hamming' | 'hann' | 'povey' | 'blackman' | 'sine' | 'rectangular'

export const windowNames = ['hamming', 'hann', 'povey', 'blackman', 'sine', 'rectangular'] as const

/** Of the angle a of a sample, which goes once around; Kaldi's window of Daniel Povey is Hann's to the power 0.85, and reaches 0 too. */
const shapes: Readonly<Record<WindowName, (a: number) => number>> = {
  hamming: (a) => 0.54 - 0.46 * Math.cos(a),
  hann: (a) => 0.5 - 0.5 * Math.cos(a),
  povey: (a) => Math.max(0, 0.5 - 0.5 * Math.cos(a)) ** 0.85,
  blackman: (a) => 0.42 - 0.5 * Math.cos(a) + 0.08 * Math.cos(2 * a),
  sine: (a) => Math.sin(a / 2),
  rectangular: () => 1,
}

/**
 * A window of so many samples. It ends as it begins, as speech tools have it; a periodic one ends a sample before, as torch has it.
 */
export function windowOf(name: WindowName, samples: number, periodic: boolean): number[] {
  const turn = periodic ? samples : samples - 1
  return Array.from({ length: samples }, (_, i) => shapes[name]((2 * Math.PI * i) / turn))
}
