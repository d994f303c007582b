// Graph -> program text.
export * from './compile.js'
