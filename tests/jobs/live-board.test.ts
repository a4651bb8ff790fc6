import { describe, expect, it } from 'vitest'
import { createBoard } from '../../cli/jobs/board.ts'
import { createPacer, durationOf, progressLine } from '../../cli/progress-line.ts'

describe('a line of progress', () => {
  const common = { title: 'train', unit: 'rows', message: 'fold 3', seconds: 12.34 }
  it('shows share, rate and time left', () => {
    const pace = { perSecond: 1234.5, secondsLeft: 75 }
    expect(progressLine({ ...common, done: 50, total: 200, pace }, 200)).toBe(
      `train  ${'█'.repeat(7)}${'░'.repeat(21)} 25 %  1,235 rows/s  1 min 15 s left  fold 3  12.3 s`,
    )
    expect(progressLine({ ...common, done: 50, total: 200, pace }, 0)).toBe(
      'train  25 %  1,235 rows/s  1 min 15 s left  fold 3  12.3 s',
    )
  })
  it('counts where the whole is not known, and is cut at the edge', () => {
    const line = { ...common, done: 50, total: 0, pace: { perSecond: 2.5, secondsLeft: null } }
    expect(progressLine(line, 0)).toBe('train  50  2.5 rows/s  fold 3  12.3 s')
    expect(progressLine(line, 30).length).toBe(29)
  })
  it('tells durations as people do', () => {
    expect([0.4, 59, 61, 7260].map(durationOf)).toEqual(['0 s', '59 s', '1 min 1 s', '2 h 1 min'])
  })
})

describe('a pace', () => {
  it('needs a second, and begins anew when the work does', () => {
    const pacer = createPacer()
    expect(pacer.note(0, 100, 0)).toBeNull()
    expect(pacer.note(10, 100, 500)).toBeNull()
    expect(pacer.note(20, 100, 2000)).toEqual({ perSecond: 10, secondsLeft: 8 })
    expect(pacer.note(5, 100, 3000)).toBeNull() // the next attempt
    expect(pacer.note(15, 100, 4000)).toEqual({ perSecond: 10, secondsLeft: 8.5 })
    expect(pacer.note(15, 200, 5000)).toBeNull() // another stage
  })
})

describe('a board', () => {
  it('draws its rows in place for a person', () => {
    let text = ''
    const board = createBoard({ isTTY: true, columns: 60, write: (part) => (text += part) })
    const [one, two] = [board.row('one'), board.row('two')]
    one.progress(1, 2, null, 'half')
    two.says('QUEUED')
    board.stop()
    board.stop()
    const last = text.split('\r').at(-1)!.replaceAll('\u001b[K', '').split('\n')
    expect(last).toEqual([expect.stringMatching(/^one {2}█{14}░{14} 50 % {2}half/), 'two  QUEUED', ''])
  })
  it('writes plain lines for a log, a word when it changes', () => {
    const lines: string[] = []
    const board = createBoard({ write: (part) => lines.push(part) })
    const row = board.row('job')
    for (let done = 1; done <= 50; done++) row.progress(done, 50, 'rows', '')
    row.says('SUCCEEDED')
    row.says('SUCCEEDED')
    board.stop()
    expect(lines[0]).toBe('job  waiting\n')
    expect(lines.at(-1)).toBe('job  SUCCEEDED\n')
    expect(lines.length).toBeLessThanOrEqual(3)
  })
})
