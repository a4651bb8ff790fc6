import { hasScope, type Viewer } from '../../platform/viewer.ts'

/**
 * A probability as a viewer sees it: three digits, unless the viewer may see reasons. Three are enough to act on, while exact values are
 * what makes a model cheap to copy by asking it (docs/decisions).
 */
export function shown(value: number, viewer: Viewer): number {
  return hasScope(viewer, 'predictions:explain') ? value : Math.round(value * 1000) / 1000
}
