// Every op that a program may hold, by name; complete, as loading the index loads every family.
import './index.js'

export { registry } from './define.js'
