/** Who is asking. Until tokens are configured every caller is the local administrator of a loopback start. */
export interface Viewer {
  readonly id: string
  readonly tenant: string
  readonly scopes: readonly string[]
}

export const localViewer: Viewer = { id: 'local', tenant: 'default', scopes: ['admin', 'bulk'] }
