import { expect, it } from 'vitest'
import { createProgressBar } from '../../cli/progress-bar.ts'

function screen(isTTY: boolean) {
  const written: string[] = []
  return { isTTY, columns: 100, written, write: (text: string) => written.push(text) }
}

it('draws over itself for a person and ends with a line of its own', () => {
  const terminal = screen(true)
  const bar = createProgressBar('seed', terminal)
  bar.update(500, 2_000, 'simulating learners')
  bar.update(2_000, 2_000, 'simulating learners')
  bar.stop()
  bar.stop()
  expect(terminal.written[0]).toMatch(/^\r.*seed {2}█{7}░{21} 25 % {2}simulating learners/)
  expect(terminal.written.at(-1)).toMatch(/█{28} 100 %.*\n$/)
  expect(terminal.written).toHaveLength(2)
})

it('writes few plain lines where nobody watches', () => {
  const log = screen(false)
  const bar = createProgressBar('seed', log)
  for (let done = 1; done <= 1_000; done++) bar.update(done, 1_000, 'learners')
  bar.stop()
  expect(log.written).toHaveLength(2)
  for (const drawn of ['\r', '\u001b', '█']) expect(log.written.join('')).not.toContain(drawn)
})

it('counts when the total is not known', () => {
  const log = screen(false)
  const bar = createProgressBar('train', log)
  bar.update(12, 0, 'trees')
  bar.stop()
  expect(log.written[0]).toMatch(/^train {2}12 {2}trees/)
})
