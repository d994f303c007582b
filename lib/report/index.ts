// What people look at: progress, curves, tables, pictures. Text in, text out: it opens no file. Pages (page.ts, transcript-page.ts), images
// (png.ts) and pictures with images (transcript-picture.ts) need a compressor and are imported by themselves, so that most programs never load
// it.
export { type ComparedOptions, comparedCurves, measuresOf, MOST_RUNS } from './compared-curves.js'
export { alignedLines, barOf, shareOf } from './aligned.js'
export { type AlignmentContent, alignmentPicture } from './alignment.js'
export { CurveRecorder, type Curves, renderCurves } from './curves.js'
export { grouped } from './digits.js'
export {
  type CountState,
  createProgress,
  type Progress,
  type ProgressOptions,
  type ProgressState,
  type ProgressStream,
} from './progress.js'
export { formatEvent, formatJson, type LogEvent, parseEvents, recordEvent } from './run-events.js'
export { formatMeasure, type Format, isAsGood, type MeasureInfo, namedMeasure, percent } from './measure-info.js'
export { escaped, svgDocument, svgText, tenth } from './svg.js'
export {
  type Cell,
  type Layout,
  measuredTable,
  shownCell,
  summarize,
  type Table,
  type Wanted,
} from './measured-table.js'
export { wordPicture, type WordPictureContent } from './word-picture.js'
