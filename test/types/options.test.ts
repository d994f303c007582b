// Types of options: one that is not known, or of another type, does not compile, and the compiler names the right one.
import { expect, test } from 'vitest'
import { compile, compileFile } from './compiler.js'

test('what does not compile', () => {
  expect(compileFile('options.ts')).toEqual([])
})

test.each([
  ['nn.conv2d(1, 1, { kernel: 3, paddin: 1 })', "Did you mean to write 'padding'?"],
  ['nn.lstm({ units: 1, forgetBais: 1 })', "Did you mean to write 'forgetBias'?"],
  ["nn.linear(1, 1, { bias: 'yes' })", "Type 'string' is not assignable to type 'boolean | undefined'"],
])('%s', (source, sentence) => {
  const { errors } = compile(source)
  expect(errors).toHaveLength(1)
  expect(errors[0]).toContain(sentence)
})
