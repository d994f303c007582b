/** The version of this package, as package.json has it: what is computed here says by it who computed it. */
export const VERSION = '0.1.0'
