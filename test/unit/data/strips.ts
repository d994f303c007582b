// Glyphs of made-up handwriting, from which tests of house numbers compose theirs.
import { mnist } from '../../../lib/data/index.js'
import { type Glyphs, glyphsOf } from '../../../lib/data/glyphs.js'
import { writeHandwriting } from '../../support/handwriting.js'

/** Writes made-up handwriting into a folder, and gives the glyphs of its test half. */
export async function writeGlyphs(folder: string): Promise<Glyphs> {
  await writeHandwriting(folder)
  return glyphsOf((await mnist({ dir: folder })).test)
}
