// Graph -> program text.
export * from './chain.js'
export * from './compile.js'
