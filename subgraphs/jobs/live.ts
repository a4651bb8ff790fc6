import type { ChangesCut, JobChange, JobListing } from '../../jobs/change.ts'
import type { ListItem } from '../../jobs/changes.ts'
import type { JobFilter } from '../../jobs/list.ts'
import { type InklingError, isInklingError } from '../../platform/errors.ts'
import { checkPage } from '../../schema/pagination.ts'
import { filterOf, type JobRefs } from './jobs.ts'
import type { JobsBuilder, JobsContext } from './subgraph.ts'

/** Why nothing can be followed: an event like the others, since an iterator that throws loses its message on the way. */
interface Refused {
  readonly type: 'REFUSED'
  readonly cursor: string
  readonly error: InklingError
}
type AnyItem = ListItem | Refused

const typeNames: Record<AnyItem['type'], string> = {
  LISTED: 'JobsListed',
  ENTERED: 'JobEntered',
  CHANGED: 'JobChanged',
  LEFT: 'JobLeft',
  CUT: 'JobsCut',
  REFUSED: 'JobsRefused',
}

/** Registers the live list of jobs. */
export function registerLive(builder: JobsBuilder, { JobRef, JobStateRef, ProgressRef, FilterRef }: JobRefs): void {
  const ItemRef = builder.interfaceRef<AnyItem>('JobsEvent').implement({
    description:
      'Something that happened to a live list of jobs. JobsListed comes first; JobsCut and JobsRefused end the stream.',
    resolveType: (item) => typeNames[item.type],
    fields: (t) => ({
      cursor: t.exposeString('cursor', { description: 'Opaque. Pass the last one as `after` to resume.' }),
    }),
  })
  const ChangeRef = builder.interfaceRef<JobChange>('JobsChange').implement({
    interfaces: [ItemRef],
    description: 'Something that happened to one job of a live list.',
    fields: (t) => ({
      job: t.expose('job', { type: JobRef, description: 'The job as it is now, which may be further on.' }),
      sequence: t.exposeInt('sequence', { description: 'Number of the event among those of its job.' }),
      at: t.expose('at', { type: 'DateTime', description: 'When it happened.' }),
      state: t.expose('state', {
        type: JobStateRef,
        nullable: true,
        description: 'Where it moved to; null for progress.',
      }),
      from: t.expose('from', { type: JobStateRef, nullable: true, description: 'Where it moved from; null when new.' }),
    }),
  })
  const interfaces = [ItemRef, ChangeRef]
  builder.objectRef<JobListing>('JobsListed').implement({
    interfaces: [ItemRef],
    description: 'The newest jobs as they are. What follows happened after.',
    fields: (t) => ({
      jobs: t.field({ type: [JobRef], description: 'Newest first.', resolve: ({ jobs }) => [...jobs] }),
    }),
  })
  builder.objectRef<JobChange>('JobEntered').implement({
    interfaces,
    description: 'A job that belongs to the list from now on: it is new, or moved to one of the states asked for.',
  })
  builder.objectRef<JobChange>('JobChanged').implement({
    interfaces,
    description: 'A job of the list moved, or came further. Of progress only the newest is told.',
    fields: (t) => ({
      progress: t.expose('progress', { type: ProgressRef, nullable: true, description: 'How far; null for a move.' }),
    }),
  })
  builder.objectRef<JobChange>('JobLeft').implement({
    interfaces,
    description: 'A job that is no longer in one of the states asked for.',
  })
  builder.objectRef<ChangesCut>('JobsCut').implement({
    interfaces: [ItemRef],
    description: 'You read too slowly and were let go. Subscribe again with this `cursor` as `after`: nothing is lost.',
  })
  builder.objectRef<Refused>('JobsRefused').implement({
    interfaces: [ItemRef],
    description: 'There is nothing to follow.',
    fields: (t) => ({
      code: t.string({ description: 'A stable code for programs.', resolve: ({ error }) => error.code }),
      message: t.string({ description: 'What is wrong.', resolve: ({ error }) => error.message }),
      hint: t.string({ description: 'What to do next.', resolve: ({ error }) => error.hint }),
    }),
  })

  builder.subscriptionFields((t) => ({
    jobs: t.field({
      scopes: ['jobs:read'],
      type: ItemRef,
      description:
        'A live list: the jobs as they are, then every move of them and their newest progress, in the order of the commits, without gap or repeat.',
      args: {
        where: t.arg({ type: FilterRef, description: 'Which jobs.' }),
        after: t.arg.string({ description: 'Resume after this cursor; the list as it is does not come again.' }),
        first: t.arg.int({ description: 'At most so many jobs in the first list. Default: 20.' }),
      },
      subscribe: (_root, { where, after, first }, context) => {
        checkPage({ first }, context.viewer)
        return follow(context, filterOf(where), after ?? undefined, first ?? undefined)
      },
      resolve: (item) => item,
    }),
  }))
}

function follow(
  context: JobsContext,
  filter: JobFilter,
  after: string | undefined,
  first: number | undefined,
): AsyncIterableIterator<AnyItem> {
  const { jobs, viewer, signal, attemptsOf, artifactsOf, jobOf } = context
  const items = jobs.changes({ ...filter, viewer, after, first }, signal)
  let isRefused = false
  return {
    async next() {
      if (isRefused) return { done: true, value: undefined }
      try {
        const item = await items.next()
        // The loaders live as long as the subscription: what they know of a job is older than its change.
        for (const loader of [attemptsOf, artifactsOf, jobOf]) loader.clearAll()
        return item
      } catch (error) {
        if (!isInklingError(error)) throw error
        isRefused = true
        return { done: false, value: { type: 'REFUSED', cursor: after ?? '', error } }
      }
    },
    return: () => items.return(),
    async throw(error) {
      await items.return()
      throw error
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
