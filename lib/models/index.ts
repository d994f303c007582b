// The networks, one file each.
export { lenet, type LenetConfig, mnistLenet } from './lenet.js'
export { mlp, type MlpConfig, mnistMlp } from './mlp.js'
