import { z } from 'zod'

/** A whole number within bounds; `why` is said to who oversteps them. */
export function whole(least: number, most: number, why = `must be a whole number from ${least} to ${most}`) {
  return z.coerce.number().int().min(least, why).max(most, why)
}

export function seconds(least: number, most: number) {
  return z.coerce.number().min(least).max(most)
}

export function port() {
  return whole(0, 65_535)
}

/** Words separated by commas. */
export function list() {
  return z.string().transform((text) =>
    text
      .split(',')
      .map((word) => word.trim())
      .filter(Boolean),
  )
}
