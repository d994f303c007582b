// The site of `npm run docs`: README.md, the guides of docs/, and what typedoc writes of the public names into docs/api. Every page can
// be read without a network, and searched.
import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitepress'

const api = JSON.parse(readFileSync(new URL('../api/typedoc-sidebar.json', import.meta.url), 'utf8'))
const page = (text, name) => ({ text, link: `/docs/${name}` })

const guides = [
  {
    text: 'Start',
    items: [{ text: 'Ostrich', link: '/' }, page('All guides', 'README'), page('Recipes', 'recipes')],
  },
  {
    text: 'Training',
    items: [
      page('Objectives and measures', 'training'),
      page('Optimisers', 'optimisers'),
      page('Data', 'data'),
      page('Sequences of several lengths', 'lengths'),
      page('Recurrence', 'recurrence'),
      page('Loops of your own', 'own-loops'),
      page('Fine-tuning', 'fine-tuning'),
      page('ImageNet', 'imagenet'),
      page('On an NVIDIA GPU', 'gpu'),
      page('Precision and reproducibility', 'precision'),
      page('Coming from PyTorch', 'coming-from-pytorch'),
    ],
  },
  {
    text: 'Networks of the lecture',
    items: [
      page('Language models', 'language-models'),
      page('Translation', 'translation'),
      page('Speech', 'speech'),
      page('Word vectors', 'word-vectors'),
      page('House numbers', 'house-numbers'),
      page('Video', 'video'),
      page('Negative examples', 'negative-examples'),
    ],
  },
  {
    text: 'Use',
    items: [
      page('The command line', 'command-line'),
      page('Serving and worker threads', 'serving'),
      page('ONNX files', 'onnx'),
      page('Benchmarks', 'benchmarks'),
      page('What a GPU showed', 'gpu-evidence'),
      page('Troubleshooting', 'troubleshooting'),
      page('Changelog', 'changelog'),
      page('Glossary', 'glossary'),
    ],
  },
  {
    text: 'Inside',
    items: [
      page('Design', 'design'),
      page('Decisions', 'decisions/README'),
      page('Adding a model', 'adding-a-model'),
      page('Adding an op', 'adding-an-op'),
    ],
  },
]

export default defineConfig({
  title: 'Ostrich',
  description: 'Deep learning for Node.js at the speed of cuDNN',
  srcDir: '..',
  srcExclude: ['native/**', 'bench/**', 'test/**', 'lib/**', 'build/**', 'dist/**', 'prebuilds/**', 'runs/**'],
  // One page holds all of `nn`.
  vite: { build: { chunkSizeWarningLimit: 8000 } },
  rewrites: { 'README.md': 'index.md' },
  // Files that are no pages: sources, results, examples.
  ignoreDeadLinks: [/\/(native|bench|lib|test)\//, /\/examples\//, /LICENSE$/],
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Guides', link: '/docs/README' },
      { text: 'API', link: '/docs/api/' },
    ],
    sidebar: { '/docs/api/': [{ text: 'API', items: api }], '/': guides },
  },
})
