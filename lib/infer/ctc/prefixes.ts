// The beam of a prefix search: the likeliest beginnings of a transcript, frame by frame. Each has the sum of the probabilities of all paths that
// give it, in two parts: those that end in a blank, and those that end in its last label, as a label behind itself needs a blank between. All is
// in logarithms and in flat arrays; nothing is made for a frame or a prefix but nodes of the tree for prefixes that are kept.
import { Trie } from '../../data/trie.js'
import { Best } from './best.js'
import { type Emissions, logAdd } from './emissions.js'
import type { Marks, Scorer } from './scorer.js'

/** Nowhere in the beam. */
const NOWHERE = -1

/** log p of the paths of prefixes: those that end in a blank, in the last label, and both together. */
class Sums {
  readonly blank: Float64Array
  readonly label: Float64Array
  readonly total: Float64Array

  constructor(most: number) {
    this.blank = new Float64Array(most)
    this.label = new Float64Array(most)
    this.total = new Float64Array(most)
  }
}

/** Prefixes by their place, the best first. */
class Beam extends Sums implements Marks {
  size = 0
  readonly nodes: Int32Array
  /** What they are worth besides. */
  readonly gain: Float64Array
  readonly histories: Int32Array
  readonly words: Int32Array

  constructor(most: number) {
    super(most)
    this.nodes = new Int32Array(most)
    this.gain = new Float64Array(most)
    this.histories = new Int32Array(most)
    this.words = new Int32Array(most)
  }
}

/** A transcript that is left at the end. */
export interface Found {
  readonly labels: Int32Array
  /** log p of all paths that give it and have stayed in the beam. */
  readonly logProbability: number
  /** The same, with what the scorer adds. */
  readonly score: number
  /** exp of its score by those of all that are left. */
  readonly posterior: number
}

/** A search in one utterance after another. */
export class PrefixSearch {
  readonly #scorer: Scorer
  readonly #most: number
  readonly #classes: number
  /** Prefixes so much worse than the best are dropped. */
  readonly #prune: number
  readonly #best: Best
  /** What `#best` gives: places below `#most` are prefixes that stay, others ones with a label more. */
  readonly #order: Int32Array
  readonly #scores: Float64Array
  /** What the prefixes are behind this frame, by their places before it. */
  readonly #stayed: Sums
  /** Labels that this frame may add, the likeliest first. */
  readonly #labels: Int32Array
  /** By place and label, the last frame before which the prefix with this label more was in the beam too. */
  readonly #taken: Int32Array
  /** Places of prefixes with a label more, and these labels. */
  readonly #newPlaces: Int32Array
  readonly #newLabels: Int32Array
  #now: Beam
  #next: Beam
  #trie = new Trie()
  /** Places by node. */
  #placeOf = new Int32Array(0)
  /** The best score behind this frame. */
  #top = 0

  constructor(scorer: Scorer, beam: number, classes: number, prune: number) {
    this.#scorer = scorer
    this.#most = beam
    this.#classes = classes
    this.#prune = prune
    this.#best = new Best(beam)
    this.#order = new Int32Array(beam)
    this.#scores = new Float64Array(beam)
    this.#stayed = new Sums(beam)
    this.#labels = new Int32Array(classes)
    this.#taken = new Int32Array(beam * classes)
    this.#newPlaces = new Int32Array(beam)
    this.#newLabels = new Int32Array(beam)
    this.#now = new Beam(beam)
    this.#next = new Beam(beam)
  }

  /** The best `count` transcripts of an utterance; none where the scorer allows nothing that was in the beam. */
  async run({ frames, classes, values }: Emissions, count: number): Promise<readonly Found[]> {
    this.#trie = new Trie()
    this.#placeOf = new Int32Array(1024).fill(NOWHERE)
    this.#placeOf[0] = 0
    this.#taken.fill(0)
    const now = this.#now
    now.size = 1
    now.nodes[0] = 0
    now.blank[0] = now.total[0] = now.gain[0] = 0
    now.label[0] = -Infinity
    await this.#scorer.start(now)
    for (let t = 0; t < frames; t++) {
      const grown = this.#step(values.subarray(t * classes, (t + 1) * classes), t + 1)
      // A model that is in this process answers at once: no frame waits for a turn of the event loop.
      if (grown !== undefined) await grown
    }
    return this.#left(count)
  }

  #step(frame: Float64Array, time: number): void | Promise<void> {
    this.#top = -Infinity
    if (this.#now.size === 0) return
    this.#stay(frame, time)
    this.#lengthen(frame, time)
    return this.#take(frame)
  }

  /** Offers the prefixes that are there. */
  #stay(frame: Float64Array, time: number): void {
    const now = this.#now
    const { blank, label, total } = this.#stayed
    for (let at = 0; at < now.size; at++) {
      const node = now.nodes[at]!
      blank[at] = now.total[at]! + frame[0]!
      label[at] = -Infinity
      if (node !== 0) {
        const last = this.#trie.symbolOf(node)
        label[at] = now.label[at]! + frame[last]!
        const shorter = this.#placeOf[this.#trie.parentOf(node)]!
        if (shorter !== NOWHERE) {
          label[at] = logAdd(label[at]!, this.#behind(shorter, last) + frame[last]!)
          this.#taken[shorter * this.#classes + last] = time
        }
      }
      total[at] = logAdd(blank[at]!, label[at]!)
      this.#offer(total[at]! + now.gain[at]!, at)
    }
  }

  /** Offers the prefixes with a label more that are not there. */
  #lengthen(frame: Float64Array, time: number): void {
    const now = this.#now
    const { most } = this.#scorer
    // Labels that are too unlikely even behind the best prefix.
    const count = this.#labelsFrom(frame, this.#least() - now.total[0]! - now.gain[0]! - most)
    for (let at = 0; at < now.size; at++) {
      const gain = now.gain[at]!
      for (let i = 0; i < count; i++) {
        const label = this.#labels[i]!
        const least = this.#least() - most - frame[label]! - gain
        if (now.total[at]! < least) break
        const before = this.#behind(at, label)
        if (before < least || this.#taken[at * this.#classes + label] === time) continue
        const added = this.#scorer.gain(now.histories[at]!, now.words[at]!, label)
        this.#offer(before + frame[label]! + gain + added, this.#most + at * this.#classes + label)
      }
    }
  }

  #offer(score: number, number: number): void {
    this.#best.offer(score, number)
    if (score > this.#top) this.#top = score
  }

  /** What is below this is not kept. */
  #least(): number {
    return Math.max(this.#best.floor, this.#top - this.#prune)
  }

  /** log p of the paths of a prefix behind which a label is another one. */
  #behind(at: number, label: number): number {
    const { nodes, blank, total } = this.#now
    return this.#trie.symbolOf(nodes[at]!) === label ? blank[at]! : total[at]!
  }

  /** Lists the labels of at least this log p, the likeliest first; gives their number. */
  #labelsFrom(frame: Float64Array, least: number): number {
    let count = 0
    for (let label = 1; label < this.#classes; label++) {
      if (frame[label]! >= least && frame[label]! > -Infinity) this.#labels[count++] = label
    }
    this.#labels.subarray(0, count).sort((a, b) => frame[b]! - frame[a]!)
    return count
  }

  /** Makes the best of what was offered the beam. */
  #take(frame: Float64Array): void | Promise<void> {
    const [now, next] = [this.#now, this.#next]
    next.size = this.#best.drain(this.#order, this.#scores)
    while (next.size > 0 && this.#scores[next.size - 1]! < this.#top - this.#prune) next.size--
    for (let at = 0; at < now.size; at++) this.#placeOf[now.nodes[at]!] = NOWHERE
    let grown = 0
    for (let place = 0; place < next.size; place++) {
      const number = this.#order[place]!
      const isLonger = number >= this.#most
      const at = isLonger ? Math.floor((number - this.#most) / this.#classes) : number
      next.gain[place] = now.gain[at]!
      next.histories[place] = now.histories[at]!
      next.words[place] = now.words[at]!
      if (!isLonger) {
        next.nodes[place] = now.nodes[at]!
        next.blank[place] = this.#stayed.blank[at]!
        next.label[place] = this.#stayed.label[at]!
        next.total[place] = this.#stayed.total[at]!
        continue
      }
      const label = (number - this.#most) % this.#classes
      next.nodes[place] = this.#trie.grow(now.nodes[at]!, label)
      next.blank[place] = -Infinity
      next.label[place] = next.total[place] = this.#behind(at, label) + frame[label]!
      next.gain[place]! += this.#scorer.gain(now.histories[at]!, now.words[at]!, label)
      this.#newPlaces[grown] = place
      this.#newLabels[grown++] = label
    }
    this.#stand(next)
    ;[this.#now, this.#next] = [next, now]
    this.#scorer.keep(next.size, next.histories)
    return grown === 0 ? undefined : this.#scorer.grow(next, grown, this.#newPlaces, this.#newLabels)
  }

  /** Notes where the nodes of a beam stand. */
  #stand({ size, nodes }: Beam): void {
    const known = this.#placeOf
    if (known.length < this.#trie.size) {
      this.#placeOf = new Int32Array(2 * this.#trie.size).fill(NOWHERE, known.length)
      this.#placeOf.set(known)
    }
    for (let place = 0; place < size; place++) this.#placeOf[nodes[place]!] = place
  }

  async #left(count: number): Promise<readonly Found[]> {
    const { size, nodes, total, gain } = this.#now
    const gains = gain.slice(0, size)
    await this.#scorer.finish(this.#now, size, gains)
    const scores = total.subarray(0, size).map((sum, place) => sum + gains[place]!)
    const all = scores.reduce(logAdd, -Infinity)
    const places = [...scores.keys()].filter((place) => scores[place]! > -Infinity)
    places.sort((a, b) => scores[b]! - scores[a]!)
    return places.slice(0, count).map((place) => ({
      labels: this.#trie.sequence(nodes[place]!),
      logProbability: total[place]!,
      score: scores[place]!,
      posterior: Math.exp(scores[place]! - all),
    }))
  }
}
