// A browser, where there is one, for pages that the library writes.
import { spawnSync } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './command-line.js'

/** Its command; undefined where there is none. */
export const browser = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0,
)

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--allow-file-access-from-files',
  '--virtual-time-budget=20000',
]

/** The elements of a page of a folder as the browser has read them. */
export async function elementsOf(folder: string, page: string): Promise<string> {
  const { out } = await run(folder, browser!, [...flags, '--dump-dom', `file://${join(folder, page)}`])
  return out
}

/** A picture of a page of a folder in a window of so many pixels, as the PNG file that it gives the path of. */
export async function screenshot(
  folder: string,
  page: string,
  [width, height]: readonly [number, number],
  more: readonly string[] = [],
): Promise<string> {
  const shot = join(folder, `${page}.png`)
  // A browser that fails must not leave an earlier picture.
  await rm(shot, { force: true })
  const size = [`--screenshot=${shot}`, `--window-size=${width},${height}`]
  await run(folder, browser!, [...flags, ...more, ...size, `file://${join(folder, page)}`])
  return shot
}
