// Differentiation, graph to graph.
export * from './grad.js'
