import { type AuditEntry, readAudit, type StoredEntry } from '../../platform/audit.ts'
import type { Database } from '../../platform/database.ts'
import { badInput, forwardPage } from '../../schema/forward-page.ts'
import type { JobsBuilder } from './subgraph.ts'

const SEQUENCE = /^[1-9]\d{0,18}$/

/** Registers the query that reads the audit of the viewer's own tenant. */
export function registerAudit(builder: JobsBuilder, database: Database): void {
  const AuditEntryRef = builder.objectRef<StoredEntry>('AuditEntry').implement({
    description: 'One mutation that was asked for, and what became of it.',
    fields: (t) => ({
      at: t.expose('at', { type: 'DateTime', description: 'When it ended.' }),
      viewerId: t.exposeString('viewerId', { description: 'Who asked.' }),
      requestId: t.exposeString('requestId', { description: 'In which request.' }),
      field: t.exposeString('field', { description: 'The mutation.' }),
      input: t.field({
        type: 'JSON',
        nullable: true,
        description: 'What it was asked with: ids, switches and names of models; other text is its length.',
        resolve: ({ input }: AuditEntry) => input,
      }),
      outcome: t.exposeString('outcome', { description: 'OK, or the code of the error.' }),
    }),
  })
  builder.queryFields((t) => ({
    auditLog: t.connection(
      {
        scopes: ['admin'],
        type: AuditEntryRef,
        description:
          'Every mutation asked for in your tenant, newest first. Forward only: `last` and `before` are refused.',
        resolve: (_root, args, { viewer }) =>
          forwardPage(
            args,
            viewer,
            async ({ first, after }) => {
              if (after !== undefined && !SEQUENCE.test(after)) throw badInput('The cursor is not one of this list.')
              const { entries, hasNext } = await readAudit(database, viewer.tenant, { first, before: after ?? null })
              return { nodes: entries, hasNext }
            },
            ({ sequence }) => sequence,
          ),
      },
      { description: 'A page of the audit.' },
      { description: 'An entry of a page.' },
    ),
  }))
}
