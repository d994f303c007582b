// A traced function: its sources, its nodes in execution order, and what leaves it.
import type { Node, Tensor } from './tensor.js'
import type { Variable } from './variable.js'

export interface GraphFeed {
  readonly name: string
  readonly tensor: Tensor
}

/** A variable that the graph reads or assigns; `tensor` is its value before the run. */
export interface GraphState {
  readonly name: string
  readonly variable: Variable
  readonly tensor: Tensor
}

/** After the run the variable of `state` holds `value`. Every read in the graph sees the value from before the run. */
export interface GraphAssign {
  readonly state: Tensor
  readonly value: Tensor
}

export interface GraphFetch {
  readonly name: string
  readonly tensor: Tensor
}

/** `nodes` holds every node but feeds, states and constants in an order in which inputs come first. */
export interface Graph {
  readonly name: string
  readonly feeds: readonly GraphFeed[]
  readonly states: readonly GraphState[]
  readonly nodes: readonly Node[]
  readonly assigns: readonly GraphAssign[]
  readonly fetches: readonly GraphFetch[]
}
