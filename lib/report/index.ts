// What people look at: progress, curves, tables, pictures and pages. Text in, text out: it opens no file.
export { alignedLines, shareOf } from './aligned.js'
export { CurveRecorder, renderCurves } from './curves.js'
export { grouped } from './digits.js'
export { type Gallery, page, type PageContent, type Picture } from './page.js'
export { type Bytes, dataUri, png } from './png.js'
export {
  type CountState,
  createProgress,
  type Progress,
  type ProgressOptions,
  type ProgressState,
  type ProgressStream,
} from './progress.js'
export { formatEvent, formatJson, type LogEvent, parseEvents, recordEvent } from './run-events.js'
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
