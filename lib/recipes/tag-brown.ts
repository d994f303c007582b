// Text understanding by a recurrent network: a bidirectional LSTM names the part of speech of every word of the Brown corpus, in
// sentences of 1 to 180 words that come in batches of about one length. The number is of the held-back tenth of the sentences, beside
// that of giving each word the tag that it has most often.
import { brownSentences } from '../data/sources/brown.js'
import type { FieldSpec } from '../data/index.js'
import { brownTagger, sameTags, tagCosts, tagger } from '../models/index.js'
import * as nn from '../nn/index.js'
import * as optim from '../optim/index.js'
import { measures } from '../train/index.js'
import { brownSource } from './data-sources.js'
import { chosen, fieldOf, type Recipe } from './recipe.js'

/** How the tag that a word has most often is told. */
const usualInfo = { better: 'more', format: 'percent', title: 'usual tag' } as const
/** A field of a sentence of so many words, as `ostrich summary` and `profile` see it. */
const words = (shape: readonly number[]): FieldSpec => ({
  dtype: 'i32',
  shape: [24, ...shape],
  batchAxis: 1,
  varies: true,
})

/** A bidirectional LSTM of 128 units in each direction. */
export const tagBrown: Recipe = {
  name: 'tag-brown',
  title: 'A bidirectional LSTM names the part of speech of every word of the Brown corpus',
  paper: 'Graves & Schmidhuber 2005, "Framewise phoneme classification with bidirectional LSTM"; Francis & Kucera 1964',
  target: { metric: 'test accuracy', value: 0.95 },
  data: brownSource,
  build(options = {}) {
    const { epochs = 5, batch = 64, rate = 0.004 } = chosen(options)
    const net = tagger(brownTagger)
    const total = Math.max(20, epochs * Math.ceil(brownSentences / batch))
    const x = words([brownTagger.tables.length])
    return {
      net,
      loss: nn.crossEntropy,
      objective: (fields) => {
        const whole = (name: string) => fieldOf(fields, name, 'i32')
        const [tags, usual] = [whole('target'), whole('usual')]
        const logits = net(whole('x'))
        const { sum, count, mask } = tagCosts(logits, tags, whole('lengths'))
        return {
          loss: { sum, count },
          accuracy: measures.accuracy(logits, tags, mask),
          usual: measures.mean({ sum: sameTags(usual, tags, mask), count, ...usualInfo }),
        }
      },
      infos: { accuracy: measures.accuracy, usual: usualInfo },
      optimizer: optim.adam({ rate: optim.oneCycle(rate, { total, rise: 0.2 }), clipNorm: 5 }),
      batch,
      epochs,
      rate,
      unit: 'sentences',
      example: x,
      fields: { x, target: words([]), usual: words([]), lengths: { dtype: 'i32', shape: [] } },
    }
  },
}
