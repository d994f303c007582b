// Formats of files: what is read is checked, what is written replaces a file whole or not at all.
export { type AtomicWriter, replaceFile } from './atomic-file.js'
export { crc32c, eventOf, openEventFile, record, type SummaryEvent, type SummaryValue } from './event-file.js'
export {
  ONNX_TYPES,
  type OnnxAttribute,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxType,
  type OnnxValue,
  writeOnnx,
} from './onnx.js'
export {
  CheckpointError,
  openSafetensors,
  type SafetensorsFile,
  type TensorArray,
  type TensorDtype,
  type TensorSource,
  writeSafetensors,
} from './safetensors.js'
export { WIDENED, widened } from './widened.js'
