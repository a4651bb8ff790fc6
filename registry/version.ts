/** Models and prompts alike: a thing has versions, a run makes a version, an alias says which one serves. */
export interface Version<Contents = unknown> {
  readonly id: string
  readonly kind: string
  readonly name: string
  /** 1, 2, 3 ... per kind and name. */
  readonly number: number
  readonly state: VersionState
  /** Role -> sha256 of the bytes. */
  readonly artefacts: Readonly<Record<string, string>>
  readonly schemaHash: string
  readonly contents: Contents
  /** Why it was rejected or quarantined; empty for a registered one. */
  readonly reasons: readonly string[]
  readonly runId: string | null
  readonly createdBy: string
  readonly createdAt: Date
}

/** PENDING waits for somebody's approval; only REGISTERED may serve. */
export const versionStates = ['REGISTERED', 'REJECTED', 'QUARANTINED', 'PENDING'] as const
export type VersionState = (typeof versionStates)[number]

export interface NewVersion {
  readonly kind: string
  readonly name: string
  readonly state: 'REGISTERED' | 'REJECTED' | 'PENDING'
  /** Role -> bytes; the same bytes are stored once. */
  readonly artefacts: Readonly<Record<string, Uint8Array>>
  readonly schemaHash: string
  readonly contents: unknown
  readonly reasons: readonly string[]
  readonly runId?: string
  readonly createdBy: string
}

/** A removal points nowhere; a rollback goes back to the version before. */
export type AliasAct = 'MOVE' | 'ROLLBACK' | 'REMOVE'

export interface AliasMove {
  readonly sequence: number
  readonly alias: string
  readonly fromId: string | null
  readonly toId: string | null
  readonly movedAt: Date
  readonly movedBy: string
  readonly reason: string
  readonly act: AliasAct
}
