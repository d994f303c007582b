// Every case, one family per line.
import type { OpCase } from '../support/op-case.js'
import { conv2dCases } from './conv2d.case.js'
import { gatherCases } from './gather.case.js'
import { matmulCases } from './matmul.case.js'
import { chainCases } from './pointwise-chain.case.js'
import { pointwiseCases } from './pointwise.case.js'
import { pool2dCases } from './pool2d.case.js'
import { randomCases } from './random.case.js'
import { reduceCases } from './reduce.case.js'
import { reshapeCases } from './reshape.case.js'
import { softmaxCases } from './softmax.case.js'

export const cases: readonly OpCase[] = [
  ...pointwiseCases,
  ...chainCases,
  ...reduceCases,
  ...reshapeCases,
  ...matmulCases,
  ...conv2dCases,
  ...pool2dCases,
  ...softmaxCases,
  ...gatherCases,
  ...randomCases,
]
