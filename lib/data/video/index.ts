// Public names of videos: what makes and reads sequences is loaded when it is first called.
import { expectKind, expectOptions, is } from '../../base/index.js'
import { dataFolder } from '../folder.js'
import { fetchOptions } from '../fetch-options.js'
import type { EncodeGifOptions } from './gif.js'
import type { MeanFrameOptions } from './mean-frame.js'
import type { GetMovingMnistOptions, MovingMnist, MovingMnistOptions } from './moving-mnist.js'
import type { FrameSequencesOptions, SequenceFile } from './sequence-file.js'
import type { FrameSequences } from './sequences.js'
import type { Video, VideoOptions } from './video.js'

export {
  peakSignalToNoise,
  type PeakSignalToNoiseOptions,
  structuralSimilarity,
  type StructuralSimilarityOptions,
} from './similarity.js'
export { videoWindows } from './windows.js'
export type { EncodeGifOptions } from './gif.js'
export type { MeanFrameOptions } from './mean-frame.js'
export type { GetMovingMnistOptions, MovingMnist, MovingMnistOptions } from './moving-mnist.js'
export type { FrameSequencesOptions, SequenceFile } from './sequence-file.js'
export type { FrameSequences } from './sequences.js'
export type { Video, VideoOptions } from './video.js'
export type { VideoWindowsOptions } from './windows.js'

/**
 * Moving MNIST as its authors make it: two digits that move through 64 x 64 pixels, a tenth of the 36 free ones at each frame, and bounce
 * off the edges. Training sequences are others in every epoch; the 10,000 of `test` are always the same. Numbers of results on other
 * sequences (the file that was published, or a fixed training set) do not compare with these.
 *
 * Fields: `x` u8 [given, 1, 64, 64], `target` u8 [future, 1, 64, 64], 0 is black; time comes before the batch.
 *
 * @returns 10,000 training sequences an epoch, 1,000 for validation, 10,000 to test by; 55 MB of memory
 * @throws DataError where MNIST is absent (the message says how to get it) or damaged, or an option is out of range; OstrichError `ERR_OPTION`
 * @see Srivastava, Mansimov & Salakhutdinov 2015, "Unsupervised learning of video representations using LSTMs", arXiv:1502.04681
 * @example
 * const { train, test } = await movingMnist({ workers: 1 })
 */
export async function movingMnist(options: MovingMnistOptions = {}): Promise<MovingMnist> {
  const one = is.anything
  expectOptions('movingMnist', options, {
    ...{ dir: is.text, train: one, validation: one, digits: one, given: one, future: one, workers: one },
  })
  const made = await import('./moving-mnist.js')
  return made.movingMnist(options)
}

/**
 * Writes the 10,000 test sequences of `movingMnist` to `test.npy`, for other programs: u8 [20, 10000, 64, 64], 819 MB, in the form of the
 * authors' mnist_test_seq.npy, compared with their known sha256. A file that is there is left as it is.
 * @returns the folder
 * @throws DataError where MNIST is absent and cannot be downloaded, is another, or the file cannot be written; OstrichError `ERR_OPTION`
 * @example
 * await getMovingMnist({ dir: 'moving-mnist' }) // numpy.load('moving-mnist/test.npy')
 */
export async function getMovingMnist(options: GetMovingMnistOptions = {}): Promise<string> {
  expectOptions('getMovingMnist', options, { ...fetchOptions, mnist: is.text })
  const { dir = dataFolder('moving-mnist') } = options
  const made = await import('./moving-mnist.js')
  await made.writeTestSequences(dir, options)
  return dir
}

/**
 * Opens sequences of frames in a NumPy file, u8 [frames, sequences, height, width], such as the test sequences that the authors of Moving
 * MNIST published (mnist_test_seq.npy). Frames are read when they are wanted.
 * @throws DataError where it is absent, no such file, not of that form, or has one frame alone; OstrichError `ERR_OPTION`
 * @example
 * const published = await frameSequences('mnist_test_seq.npy', { given: 10 })
 */
export async function frameSequences(path: string, options: FrameSequencesOptions = {}): Promise<SequenceFile> {
  expectKind('frameSequences', 'path', is.text, path)
  expectOptions('frameSequences', options, { given: is.anything })
  const file = await import('./sequence-file.js')
  return file.frameSequences(path, options)
}

/**
 * Reads the frames of a folder of images, in the order of their names (2.png before 10.png), or of a GIF or animated WebP, by sharp;
 * ffmpeg makes either of any other video.
 * @returns planes u8 [frames, channels, height, width]
 * @throws DataError where it is absent, damaged, no image, has one frame alone or frames of several sizes; where sharp is absent; OstrichError
 * `ERR_OPTION`
 * @example
 * const video = await readVideo('ball.gif', { channels: 1, size: [64, 64] })
 */
export async function readVideo(path: string, options: VideoOptions = {}): Promise<Video> {
  expectKind('readVideo', 'path', is.text, path)
  expectOptions('readVideo', options, { channels: is.oneOf(1, 3), size: is.pair(1) })
  const read = await import('./video.js')
  return read.readVideo(path, options)
}

/**
 * Writes frames as an animated GIF that begins again when it ends, by sharp.
 * @throws DataError for data of another length, and where sharp is absent; OstrichError `ERR_OPTION`
 * @example await writeFile('ball.gif', await encodeGif(video, { delay: 100 }))
 */
export async function encodeGif(video: Video, options: EncodeGifOptions = {}): Promise<Uint8Array> {
  expectKind('encodeGif', 'video', is.object, video)
  expectOptions('encodeGif', options, { delay: is.whole(20, 65_535) })
  const gif = await import('./gif.js')
  return gif.encodeGif(video, options)
}

/**
 * The mean of the frames that follow, over the first sequences of a data set: the prediction of whoever knows nothing of a sequence.
 * @returns f32 [channels, height, width], 0 to 1
 * @throws OstrichError `ERR_OPTION`; what the data set throws
 * @example const mean = await meanFrame(train)
 */
export async function meanFrame(set: FrameSequences, options: MeanFrameOptions = {}): Promise<Float32Array> {
  expectKind('meanFrame', 'set', is.withMethods('a data set', 'gather'), set)
  expectOptions('meanFrame', options, { sequences: is.whole(1) })
  const mean = await import('./mean-frame.js')
  return mean.meanFrame(set, options)
}
