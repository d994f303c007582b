// TIMIT's phonemes as recognition is measured by them: 61 folded to 39 (Lee & Hon 1989).

/** Those that are measured as another. */
const others: Readonly<Record<string, readonly string[]>> = {
  aa: ['ao'],
  ah: ['ax', 'ax-h'],
  er: ['axr'],
  hh: ['hv'],
  ih: ['ix'],
  l: ['el'],
  m: ['em'],
  n: ['en', 'nx'],
  ng: ['eng'],
  sh: ['zh'],
  uw: ['ux'],
  sil: ['bcl', 'dcl', 'gcl', 'pcl', 'tcl', 'kcl', 'epi', 'pau', 'h#'],
  '': ['q'],
}

/** Those that are measured as they are. */
const own =
  'aa ae ah aw ay b ch d dh dx eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh sil t th uh uw v w y z'.split(' ')

/**
 * What each of TIMIT's 61 phonemes is measured as: one of 39; closures and pauses are `sil`, and the glottal stop `q` is left out (an empty
 * text). The 39 are themselves.
 * @see Lee & Hon 1989, "Speaker-independent phone recognition using hidden Markov models", table I
 * @example timitPhonemes['ix'] // 'ih'
 */
export const timitPhonemes: Readonly<Record<string, string>> = Object.fromEntries([
  ...own.map((phoneme) => [phoneme, phoneme] as const),
  ...Object.entries(others).flatMap(([to, all]) => all.map((phoneme) => [phoneme, to] as const)),
])
