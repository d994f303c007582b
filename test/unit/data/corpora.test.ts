// yesno and AN4: made-up copies of the right names are found, parted and kept as is said; what is missing or damaged is named; and the real ones have
// the facts that are known of them.
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  an4,
  encodeWav,
  getAn4,
  getYesno,
  readSound,
  type Text,
  type Utterance,
  yesno,
} from '../../../lib/data/index.js'
import { an4Words } from '../../../lib/recipes/index.js'
import { sharedData } from '../../support/shared-data.js'
import { shorts, sphereFile, sphereLines } from '../../support/sounds.js'
import { tarEntry, tarOf } from './support.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-corpora-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

type Copy = Readonly<Record<string, Uint8Array>>

/** A copy as a compressed archive. */
async function archive(name: string, copy: Copy): Promise<string> {
  const path = join(folder, name)
  await writeFile(
    path,
    gzipSync(tarOf(...Object.entries(copy).map(([file, bytes]) => tarEntry(file, bytes))), { level: 1 }),
  )
  return path
}

/** A copy as a folder. */
async function tree(name: string, copy: Copy): Promise<string> {
  const root = join(folder, name)
  for (const [file, bytes] of Object.entries(copy)) {
    await mkdir(dirname(join(root, file)), { recursive: true })
    await writeFile(join(root, file), bytes)
  }
  return root
}

/** Samples of 16 bits that are all the same. */
const constant = (value: number, count: number): Float32Array => new Float32Array(count).fill(value / 0x8000)
const first = ({ sound }: Utterance): number => sound.samples[0]! * 0x8000

// Recording i has i + 1 samples of the number i.
const yesnoNames = Array.from({ length: 60 }, (_, i) => Array.from(i.toString(2).padStart(8, '0')).join('_'))
const yesnoCopy: Copy = Object.fromEntries(
  yesnoNames.map((name, i) => [`waves_yesno/${name}.wav`, encodeWav({ samples: constant(i, i + 1), rate: 8000 })]),
)

interface TextParts {
  readonly train: Text
  readonly validation?: Text
  readonly test?: Text
}

describe('yesno', () => {
  it('comes from an archive or a folder, every other recording to test by', async () => {
    const dir = join(folder, 'yesno')
    const stages: string[] = []
    const from = await archive('yesno.tar.gz', { ...yesnoCopy, 'waves_yesno/README': Buffer.from('x') })
    expect(await getYesno({ dir, from, onProgress: ({ stage }) => stages.push(stage) })).toBe(dir)
    expect([...new Set(stages)]).toEqual(['check', 'unpack', 'decode', 'write', 'done'])
    const { train, validation, test } = await yesno({ dir })
    expect([train.length, validation?.length, test.length]).toEqual([27, 3, 30])
    expect(test.map(first)).toEqual(Array.from({ length: 30 }, (_, i) => 2 * i + 1))
    const learned = [...train, ...validation!].map(first).sort((a, b) => a - b)
    expect(learned).toEqual(Array.from({ length: 30 }, (_, i) => 2 * i))
    expect(test[0]).toMatchObject({ transcript: 'NO NO NO NO NO NO NO YES', name: yesnoNames[1], speaker: 'one' })
    expect([test[2]!.sound.samples.length, test[2]!.sound.rate]).toEqual([6, 8000])
    expect(await yesno({ dir, validation: 0 })).not.toHaveProperty('validation')
    expect(await getYesno({ dir })).toBe(dir)
    const again = join(folder, 'yesno-again')
    await getYesno({ dir: again, from: await tree('yesno-tree', yesnoCopy) })
    for (const file of ['recordings.wav', 'recordings.tsv']) {
      expect((await readFile(join(again, file))).equals(await readFile(join(dir, file)))).toBe(true)
    }
    // The cache is a sound of all recordings, one behind the other.
    const all = await readSound(join(dir, 'recordings.wav'))
    expect([all.rate, all.samples.length]).toEqual([8000, (60 * 61) / 2])
  })

  it('counts damaged recordings, and writes nothing then', async () => {
    const dir = join(folder, 'damaged')
    const damaged = (i: number, bytes: Uint8Array): Copy => ({ [`waves_yesno/${yesnoNames[i]!}.wav`]: bytes })
    const bad = { ...damaged(3, Buffer.from('x')), ...damaged(9, encodeWav({ samples: constant(1, 4), rate: 16_000 })) }
    const from = await archive('damaged.tar.gz', { ...yesnoCopy, ...bad })
    await expect(getYesno({ dir, from })).rejects.toThrow(
      /^yesno: expected 60 recordings, got 2 bad ones; the first: .*0_0_0_0_0_0_1_1\.wav: expected a WAV/,
    )
    await expect(stat(dir)).rejects.toThrow('ENOENT')
    const { [`waves_yesno/${yesnoNames[0]!}.wav`]: _, ...fewer } = yesnoCopy
    await expect(getYesno({ dir, from: await archive('fewer.tar.gz', fewer) })).rejects.toThrow(
      /fewer\.tar\.gz: expected the 60 recordings of yesno .*, got 59/,
    )
  })

  it('says how to get it where it is not there, and refuses what does not belong together', async () => {
    const dir = join(folder, 'none')
    await expect(yesno({ dir })).rejects.toThrow(/none, got none\. Run: ostrich data get yesno --from/)
    await expect(getYesno({ dir })).rejects.toThrow(/^yesno: expected --from <path> with waves_yesno.tar.gz/)
    await expect(getYesno({ dir, from: join(folder, 'no.tar') })).rejects.toThrow(/^yesno: expected .*no\.tar: ENOENT/)
    await expect(yesno({ dir, holdback: 3 } as never)).rejects.toThrow(
      'yesno: expected the options dir, validation, seed',
    )
    await expect(yesno({ dir: join(folder, 'yesno'), validation: 30 })).rejects.toThrow(
      'yesno[validation]: expected an integer',
    )
    const broken = join(folder, 'broken')
    await getYesno({ dir: broken, from: join(folder, 'yesno.tar.gz') })
    const table = join(broken, 'recordings.tsv')
    const text = await readFile(table, 'utf8')
    const changes: readonly (readonly [string, string])[] = [
      [text.replace('\t1\t', '\t2\t'), 'expected 1830 samples, as '],
      [text.replace('\ttrain', '\tx').replace('train\t', 'x\t'), 'recordings.tsv:2: expected part, speaker, name'],
      [text.replace('part\t', ''), 'recordings.tsv: expected the columns part, speaker'],
      [text.slice(0, -40), 'recordings.tsv:61: expected part, speaker, name'],
      ['', 'recordings.tsv: expected the columns'],
    ]
    for (const [changed, message] of changes) {
      await writeFile(table, changed)
      await expect(yesno({ dir: broken })).rejects.toThrow(message)
    }
    await writeFile(table, text)
    await writeFile(join(broken, 'recordings.wav'), encodeWav({ samples: constant(1, 1830), rate: 16_000 }))
    await expect(yesno({ dir: broken })).rejects.toThrow(
      'expected one channel of s16 at 8000 Hz, got 1 of s16 at 16000 Hz',
    )
  })

  const real = sharedData('yesno', 'waves_yesno.tar.gz')
  it.skipIf(real === undefined)('is what its facts say', { timeout: 60_000 }, async () => {
    const dir = join(folder, 'real-yesno')
    await getYesno({ dir, from: real! })
    const { train, validation, test } = await yesno({ dir })
    const all = [...train, ...validation!, ...test]
    const minutes = all.reduce((sum, { sound }) => sum + sound.samples.length, 0) / 8000 / 60
    expect([all.length, minutes.toFixed(1)]).toEqual([60, '6.1'])
    expect(all.every(({ name, transcript }) => transcript.split(' ').length === 8 && name!.length === 15)).toBe(true)
  })
})

/** Names of speakers and utterances of a part: as many of each as AN4 has. */
function an4Ids(part: 'train' | 'test', speakers: number, recordings: number): string[] {
  return Array.from({ length: recordings }, (_, i) => {
    const speaker = `${part === 'train' ? 'm' : 'f'}s${String(i % speakers).padStart(2, '0')}`
    return `an4${part === 'test' ? 'test' : ''}_clstk/${speaker}/an${i}-${speaker}-b`
  })
}

const [trainIds, testIds] = [an4Ids('train', 74, 948), an4Ids('test', 10, 130)]
const nameOf = (id: string): string => id.slice(id.lastIndexOf('/') + 1)

/** Recording i of a part holds three samples of the number i, and it is said `A B` or `ENTER`. */
function an4Copy(): Record<string, Uint8Array> {
  const said = (i: number): string => (i % 2 === 0 ? 'A B' : 'ENTER')
  const text = (lines: readonly string[]): Uint8Array => Buffer.from(`${lines.join('\n')}\n`)
  const sounds = [trainIds, testIds].flatMap((ids) =>
    ids.map((id, i): [string, Uint8Array] => [`an4/wav/${id}.sph`, sphereFile(sphereLines(3), shorts([i, i, i]))]),
  )
  return {
    ...Object.fromEntries(sounds),
    'an4/etc/an4_train.fileids': text(trainIds),
    'an4/etc/an4_test.fileids': text(testIds),
    'an4/etc/an4_train.transcription': text(trainIds.map((id, i) => `<s> ${said(i)} </s> (${nameOf(id)})`)),
    'an4/etc/an4_test.transcription': text(testIds.map((id, i) => `${said(i)} (${nameOf(id)})`)),
  }
}

describe('AN4', () => {
  it('comes as CMU distributes it, with eight speakers held back', async () => {
    const dir = join(folder, 'an4')
    await getAn4({ dir, from: await archive('an4.tar.gz', an4Copy()) })
    const { train, validation, test } = await an4({ dir })
    expect([train.length + validation!.length, test.length]).toEqual([948, 130])
    const speakers = (part: readonly Utterance[]) => new Set(part.map(({ speaker }) => speaker))
    expect([speakers(train).size, speakers(validation!).size, speakers(test).size]).toEqual([66, 8, 10])
    expect([...speakers(validation!)].some((speaker) => speakers(train).has(speaker))).toBe(false)
    expect(test.map(first)).toEqual(testIds.map((_, i) => i))
    expect(test[1]).toMatchObject({ name: nameOf(testIds[1]!), speaker: 'fs01', transcript: 'ENTER' })
    const own =
      train.find(({ name }) => name === nameOf(trainIds[500]!)) ??
      validation!.find(({ name }) => name === nameOf(trainIds[500]!))
    expect([own?.transcript, first(own!), own?.sound.rate]).toEqual(['A B', 500, 16_000])
    const others = await an4({ dir, seed: 2 })
    expect([...speakers(others.validation!)].sort()).not.toEqual([...speakers(validation!)].sort())
    expect((await an4({ dir, heldBack: 0 })).train.length).toBe(948)
    await expect(an4({ dir, heldBack: 74 })).rejects.toThrow('an4[heldBack]: expected an integer from 0 to 73, got 74')
    await expect(an4({ dir, seed: -1 })).rejects.toThrow('an4[seed]')
  })

  it('gives its transcripts as a text of lines, those of who is trained on in four orders', async () => {
    const dir = join(folder, 'an4-words')
    await getAn4({ dir, from: await archive('an4-words.tar.gz', an4Copy()) })
    const parts = await an4({ dir })
    const { train, validation, test } = (await an4Words.data.load({ dir })) as TextParts
    const linesOf = ({ vocabulary, tokens }: Text): string[] => vocabulary.decode(tokens).trimEnd().split('\n')
    const said = (part: readonly Utterance[]): string[] => part.map(({ transcript }) => transcript)
    expect([test, linesOf(validation!)]).toEqual([undefined, said(parts.validation!)])
    const lines = linesOf(train)
    const count = parts.train.length
    expect(lines).toHaveLength(4 * count)
    const orders = [0, 1, 2, 3].map((i) => lines.slice(i * count, (i + 1) * count))
    for (const order of orders) expect([...order].sort()).toEqual(said(parts.train).sort())
    expect(new Set([said(parts.train), ...orders].map((order) => order.join('\n'))).size).toBe(5)
    const { vocabulary } = train
    expect([validation!.vocabulary, vocabulary.tokens.at(-1)]).toEqual([vocabulary, '<unk>'])
    const other = (await an4Words.data.load({ dir, vocabulary })) as TextParts
    expect(other.validation!.vocabulary).toBe(vocabulary)
  })

  it('names what a copy lacks', async () => {
    const dir = join(folder, 'an4-none')
    const without = async (change: (copy: Record<string, Uint8Array>) => void): Promise<string> => {
      const copy = an4Copy()
      change(copy)
      return archive('less.tar.gz', copy)
    }
    const drop = (name: string) => (copy: Record<string, Uint8Array>) => {
      // eslint-disable-next-line @typescript-eslint/no-dynamic-delete
      delete copy[name]
    }
    const cut = (name: string) => (copy: Record<string, Uint8Array>) => {
      copy[name] = Buffer.from(
        `${new TextDecoder().decode(copy[name]).trimEnd().split('\n').slice(0, -1).join('\n')}\n`,
      )
    }
    const cases: readonly (readonly [(copy: Record<string, Uint8Array>) => void, RegExp])[] = [
      [drop('an4/etc/an4_test.fileids'), /expected a file an4_test\.fileids of AN4, got none/],
      [drop(`an4/wav/${testIds[7]!}.sph`), /expected a recording an4test_clstk\/fs07\/an7-fs07-b \(\.sph, .*got none/],
      [cut('an4/etc/an4_train.transcription'), /expected a transcript of an947-.*, got none/],
      [cut('an4/etc/an4_train.fileids'), /expected 948 recordings of 74 speakers to train by, got 947 of 74/],
    ]
    for (const [change, message] of cases) {
      await expect(getAn4({ dir, from: await without(change) })).rejects.toThrow(message)
    }
    await expect(an4({ dir })).rejects.toThrow(/Run: ostrich data get an4 --from/)
  })

  const real = sharedData('an4', 'an4-16k-flac.tar.gz')
  it.skipIf(real === undefined)('is what its facts say', { timeout: 300_000 }, async () => {
    const dir = join(folder, 'real-an4')
    await getAn4({ dir, from: real! })
    const { train, validation, test } = await an4({ dir })
    const lengthsOf = (part: readonly Utterance[]): number[] => part.map(({ sound }) => sound.samples.length)
    const sum = (part: readonly number[]): number => part.reduce((all, one) => all + one, 0)
    expect([sum(lengthsOf([...train, ...validation!])), sum(lengthsOf(test))]).toEqual([40_740_800, 5_712_000])
    expect([
      sum(test.map(({ transcript }) => transcript.split(' ').length)),
      sum(test.map(({ transcript }) => transcript.length)),
    ]).toEqual([773, 2565])
    expect(new Set([...train, ...validation!, ...test].flatMap(({ transcript }) => transcript.split(' '))).size).toBe(
      101,
    )
    await rm(dir, { recursive: true })
  })
})
