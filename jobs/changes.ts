import { AsyncLocalStorage } from 'node:async_hooks'
import type { Database } from '../platform/database.ts'
import { messageOf } from '../platform/errors.ts'
import type { Log } from '../platform/log.ts'
import type { Viewer } from '../platform/viewer.ts'
import type { ChangesCut, JobChange, JobListing } from './change.ts'
import { changesOf } from './changes-filter.ts'
import { encodePosition, type Position, parsePosition, unknownCursor } from './changes-position.ts'
import { type ChangeRow, listWithSnapshot, readChanges, takeSnapshot } from './changes-read.ts'
import type { JobFilter } from './list.ts'
import { createBell, createStream, type EndableIterator } from './stream.ts'

const PAGE = 500
/** Changes kept in memory, so that a thousand readers cost one query for each wake-up. */
const RING = 2000
/** Looked at most this often: what happens in between comes in one batch. */
const PAUSE_MS = 25
/** Looked again this often, should a notification be lost. */
const POLL_MS = 5000

export interface ChangesOptions extends JobFilter {
  /** Absent: every tenant's jobs. */
  readonly viewer?: Viewer | undefined
  /** Cursor to resume after. Absent: the list as it is comes first. */
  readonly after?: string | undefined
  /** Jobs in that first list. Default: 20. */
  readonly first?: number | undefined
}

export type ListItem = JobListing | JobChange | ChangesCut

/** What lies between two snapshots, read once for all readers. */
interface Batch {
  readonly serial: number
  readonly from: string
  readonly to: string
  readonly rows: readonly ChangeRow[]
}

interface Reader {
  position: Position
  /** The next batch to take; null: what it has not seen is to be read from the database first. */
  serial: number | null
  /** Since when nobody asks; null while somebody waits. */
  idleSince: number | null
  isCut: boolean
}

export interface ChangeHub {
  /**
   * The jobs of a filter and every change after, in the order of their commits and without gap or repeat, until the signal aborts. A
   * reader that stalls for stallMs is given a CUT and let go. Rejects with BAD_USER_INPUT for an unknown cursor.
   */
  follow(options: ChangesOptions, signal?: AbortSignal): EndableIterator<ListItem>
  /** Something happened to some job. */
  wake(): void
  readers(): number
  close(): void
}

export function createChangeHub(database: Database, log: Log, stallMs: number): ChangeHub {
  const readers = new Set<Reader>()
  const bell = createBell()
  const closing = new AbortController()
  // Readers come from anywhere, also from inside a transaction; the reading for all of them must belong to none.
  const outside = AsyncLocalStorage.snapshot()
  let ring: Batch[] = []
  /** What the newest batch reaches; null while nobody reads. */
  let head: string | null = null
  let nextSerial = 0
  let reading: Promise<void> | null = null
  let isStale = false
  let soon: NodeJS.Timeout | null = null
  const poll = setInterval(
    () => {
      if (readers.size === 0) return
      void refresh().catch(complain)
      cutStalled()
    },
    Math.min(POLL_MS, stallMs / 2),
  )
  poll.unref()

  function complain(error: unknown): void {
    log.warn({ event: 'job changes not read', error: messageOf(error) })
  }

  /** Reads what was committed since the head. Resolves when everything committed before the call is read. */
  function refresh(): Promise<void> {
    isStale = true
    reading ??= outside(catchUp).finally(() => {
      reading = null
    })
    return reading
  }
  async function catchUp(): Promise<void> {
    while (isStale) {
      isStale = false
      const to = await takeSnapshot(database)
      if (to === head) continue
      const from = head
      const rows = from === null ? [] : await readChanges(database, { seen: from, within: null }, to, RING + 1)
      head = to
      if (rows.length === 0 || from === null) continue
      ring.push({ serial: nextSerial++, from, to, rows })
      // More than can be kept: readers go to the database for it, a page at a time.
      while (ring.reduce((sum, batch) => sum + batch.rows.length, 0) > RING) ring.shift()
      bell.ring()
    }
  }

  function cutStalled(): void {
    for (const reader of readers) {
      const isBehind = reader.serial === null || reader.serial < nextSerial
      if (!isBehind || reader.idleSince === null || performance.now() - reader.idleSince < stallMs) continue
      reader.isCut = true
      leave(reader)
    }
  }
  function leave(reader: Reader): void {
    readers.delete(reader)
    if (readers.size > 0) return
    ring = []
    head = null
  }

  /** Rows that the reader has not seen, and moves it behind them. Null: there is nothing more for now. */
  async function advance(reader: Reader): Promise<{ rows: readonly ChangeRow[]; from: string; to: string } | null> {
    if (reader.serial !== null) {
      const batch = ring.find(({ serial }) => serial === reader.serial)
      if (batch) {
        reader.serial += 1
        reader.position = { seen: batch.to, within: null }
        return batch
      }
      if (reader.serial >= nextSerial) return null
      reader.serial = null
    }
    const { position } = reader
    const [newest, serial] = [head ?? (await outside(() => takeSnapshot(database))), nextSerial]
    const to = position.within?.to ?? newest
    const rows = await outside(() => readChanges(database, position, to, PAGE))
    const isWhole = rows.length < PAGE
    reader.position = isWhole
      ? { seen: to, within: null }
      : { seen: position.seen, within: { to, ...rows.at(-1)!.key } }
    if (isWhole && to === newest) reader.serial = serial
    return { rows, from: position.seen, to }
  }

  async function open(reader: Reader, { viewer, after, first = 20, ...filter }: ChangesOptions): Promise<ListItem[]> {
    readers.add(reader)
    if (after === undefined) {
      const { snapshot, jobs } = await outside(() => listWithSnapshot(database, filter, viewer, first))
      reader.position = { seen: snapshot, within: null }
      await refresh()
      return [{ type: 'LISTED', cursor: encodePosition(reader.position), jobs }]
    }
    reader.position = parsePosition(after)
    await refresh() // now the head is not behind any cursor that was ever given out
    if (head && isAhead(reader.position.within?.to ?? reader.position.seen, head)) throw unknownCursor()
    return []
  }

  return {
    follow(options, signal) {
      const { viewer, after: _after, first: _first, ...filter } = options
      const reader: Reader = { position: { seen: '', within: null }, serial: null, idleSince: null, isCut: false }
      let isOpen = false
      let isEnded = false
      async function pull(stop: AbortSignal): Promise<readonly ListItem[]> {
        if (isEnded) return []
        if (!isOpen) {
          isOpen = true
          const listing = await open(reader, options)
          if (stop.aborted) leave(reader)
          if (listing.length > 0) return listing
        }
        while (!stop.aborted) {
          if (reader.isCut) {
            isEnded = true
            return [{ type: 'CUT', cursor: encodePosition(reader.position) }]
          }
          const step = await advance(reader)
          if (step === null) {
            reader.idleSince = null
            await bell.wait(stop)
            continue
          }
          const { rows, from, to } = step
          const changes = changesOf(rows, filter, viewer).map(({ row, change }): JobChange => {
            const isLast = row === rows.at(-1) && reader.position.within === null
            return {
              ...change,
              cursor: encodePosition(isLast ? { seen: to, within: null } : { seen: from, within: { to, ...row.key } }),
            }
          })
          if (changes.length === 0) continue
          reader.idleSince = performance.now()
          return changes
        }
        return []
      }
      const asked = () => {
        if (reader.idleSince !== null) reader.idleSince = performance.now()
      }
      const signals = signal ? AbortSignal.any([signal, closing.signal]) : closing.signal
      return createStream({ next: pull, asked, end: () => leave(reader) }, signals)
    },
    wake() {
      if (readers.size === 0 || soon) return
      soon = setTimeout(() => {
        soon = null
        refresh().catch(complain)
      }, PAUSE_MS)
      soon.unref()
    },
    readers: () => readers.size,
    close() {
      clearInterval(poll)
      if (soon) clearTimeout(soon)
      closing.abort()
    },
  }
}

/** Whether a snapshot is of a later time, or of another database, than one taken just now. */
function isAhead(snapshot: string, now: string): boolean {
  const end = (text: string) => BigInt(text.split(':')[1]!)
  return end(snapshot) > end(now)
}
