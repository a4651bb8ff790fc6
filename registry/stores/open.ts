import type { Config } from '../../platform/config.ts'
import { InklingError } from '../../platform/errors.ts'
import { createFolderStore } from './folder.ts'
import { createS3Store } from './s3.ts'
import type { ArtefactStore } from './store.ts'

/** The store that INKLING_ARTEFACTS names; null when all bytes lie in the database. Throws CONFIG_INVALID; connects to nothing. */
export function openArtefactStore(config: Config): ArtefactStore | null {
  const { INKLING_ARTEFACTS: place, INKLING_ARTEFACTS_THRESHOLD: threshold } = config
  if (place === 'postgres') return null
  if (place.startsWith('folder:')) return createFolderStore(place.slice('folder:'.length), threshold)
  const { hostname: bucket, pathname } = new URL(place)
  const { INKLING_ARTEFACTS_KEY: keyId, INKLING_ARTEFACTS_SECRET: secret } = config
  if (!keyId || !secret)
    throw new InklingError(
      'CONFIG_INVALID',
      `INKLING_ARTEFACTS is ${place}, but the keys of that store are not set.`,
      'Set INKLING_ARTEFACTS_KEY and INKLING_ARTEFACTS_SECRET.',
    )
  return createS3Store({
    bucket,
    prefix: pathname.replace(/^\/+|\/+$/g, ''),
    endpoint: config.INKLING_ARTEFACTS_ENDPOINT,
    region: config.INKLING_ARTEFACTS_REGION,
    keyId,
    secret,
    threshold,
  })
}
