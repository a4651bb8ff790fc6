/** Models and prompts alike: a thing has versions, a run makes a version, an alias says which one serves. */
export interface Version<Contents = unknown> {
  readonly id: string
  readonly kind: string
  readonly name: string
  /** 1, 2, 3 ... per kind and name. */
  readonly number: number
  readonly state: 'REGISTERED' | 'REJECTED' | 'QUARANTINED'
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

export interface NewVersion {
  readonly kind: string
  readonly name: string
  readonly state: 'REGISTERED' | 'REJECTED'
  /** Role -> bytes; the same bytes are stored once. */
  readonly artefacts: Readonly<Record<string, Uint8Array>>
  readonly schemaHash: string
  readonly contents: unknown
  readonly reasons: readonly string[]
  readonly runId?: string
  readonly createdBy: string
}

export interface AliasMove {
  readonly sequence: number
  readonly alias: string
  readonly fromId: string | null
  readonly toId: string
  readonly movedAt: Date
  readonly movedBy: string
  readonly reason: string
}
