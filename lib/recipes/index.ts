// Public names of `ostrich/recipes`: every result that can be reproduced with one command.
import { an4Words } from './an4-words.js'
import { cifar10, cifar10Local } from './cifar10.js'
import { cifar10Resnet } from './cifar10-resnet.js'
import { alexnet, alexnetOneTower } from './imagenet.js'
import { houseNumbersRecipe, houseNumbersStrips, houseNumbersTransfer } from './house-numbers.js'
import { mnist } from './mnist.js'
import { mnistMlp } from './mnist-mlp.js'
import { movingMnistConvLstm, movingMnistLstm, movingMnistSmall } from './moving-mnist.js'
import { ptbAwd, ptbLarge, ptbMedium, ptbSmall } from './ptb.js'
import { shakespeare, shakespeareMrnn } from './shakespeare.js'
import {
  ae400,
  fc10Middle,
  fc10Strong,
  fc10Weak,
  fc100,
  fc123,
  fc200,
  mnistMaxoutDropout,
  mnistMaxoutFgsm,
} from './negatives.js'
import type { Recipe } from './recipe.js'
import { an4Recipe, digits, timitRecipe, yesnoRecipe } from './speech.js'
import { tagBrown } from './tag-brown.js'
import { translateAttention, translateLstm, translateLstmForward, translateTransformer } from './translate.js'

export { dataSources } from './data-sources.js'
export { an4Words } from './an4-words.js'
export { cifar10, cifar10Local } from './cifar10.js'
export { cifar10Resnet } from './cifar10-resnet.js'
export { houseNumbersRecipe, houseNumbersStrips, houseNumbersTransfer } from './house-numbers.js'
export { alexnet, alexnetOneTower } from './imagenet.js'
export { mnist } from './mnist.js'
export { mnistMlp } from './mnist-mlp.js'
export { movingMnistConvLstm, movingMnistLstm, movingMnistSmall } from './moving-mnist.js'
export { ptbAwd, ptbLarge, ptbMedium, ptbSmall } from './ptb.js'
export { shakespeare, shakespeareMrnn } from './shakespeare.js'
export { an4Recipe, digits, timitRecipe, yesnoRecipe } from './speech.js'
export { tagBrown } from './tag-brown.js'
export { translateAttention, translateLstm, translateLstmForward, translateTransformer } from './translate.js'
export {
  ae400,
  fc10Middle,
  fc10Strong,
  fc10Weak,
  fc100,
  fc123,
  fc200,
  mnistMaxoutDropout,
  mnistMaxoutFgsm,
} from './negatives.js'
export { selfTest, type SelfTest } from './self-test.js'
export { sayThreads, threadSpeeds, type ThreadSpeeds } from './thread-speeds.js'
export {
  type DataSource,
  type Halves,
  type LoadOptions,
  type Plan,
  type OwnPairs,
  type Recipe,
  type RecipeOptions,
  type Recogniser,
  type SearchPlan,
  planSession,
  type Target,
  type TranscriptPlan,
} from './recipe.js'

/** Every recipe, in the order in which `ostrich recipes` lists them. */
export const recipes: readonly Recipe[] = [
  ...[mnist, mnistMlp, cifar10, cifar10Local, cifar10Resnet, alexnet, alexnetOneTower],
  ...[ptbSmall, ptbMedium, ptbLarge, ptbAwd, shakespeare, shakespeareMrnn, tagBrown],
  ...[translateLstm, translateLstmForward, translateAttention, translateTransformer],
  ...[digits, yesnoRecipe, an4Recipe, an4Words, timitRecipe],
  ...[houseNumbersRecipe, houseNumbersStrips, houseNumbersTransfer],
  ...[movingMnistSmall, movingMnistConvLstm, movingMnistLstm],
  ...[fc10Weak, fc10Middle, fc10Strong, fc100, fc200, fc123, ae400, mnistMaxoutDropout, mnistMaxoutFgsm],
]
