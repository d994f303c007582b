// Typed lint for every TypeScript file; each tuned rule says why.
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

export default defineConfig(
  {
    ignores: [
      'build/',
      'dist/',
      'docs/api/',
      'docs/.vitepress/',
      'docs/examples/',
      'native/',
      'prebuilds/',
      '**/*.mjs',
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // Messages are built from extents, counts and rates: numbers in a template are the common, safe case.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // An index that was just bounds-checked by its loop may be asserted, which noUncheckedIndexedAccess needs in hot loops.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // `while (true)` is how a generator of batches or events is written.
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: 'error',
      'max-lines': ['error', 500],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
    },
  },
  // A config file is loaded through its default export.
  { files: ['*.config.ts'], rules: { 'no-restricted-exports': 'off' } },
)
