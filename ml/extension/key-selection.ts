export interface Selection {
  readonly select?: Readonly<Record<string, unknown>> | null
  readonly omit?: Readonly<Record<string, unknown>> | null
}

/** The arguments of a read that surely gives the key, and the fields that the caller did not ask for. */
export function selectKey<A extends Selection>(
  args: A,
  key: readonly string[],
): { args: A; unasked: readonly string[] } {
  const { select, omit } = args
  const unasked = key.filter((field) => (select ? select[field] !== true : omit?.[field] === true))
  if (unasked.length === 0) return { args, unasked }
  const fields = Object.fromEntries(unasked.map((field) => [field, Boolean(select)]))
  return {
    args: { ...args, ...(select ? { select: { ...select, ...fields } } : { omit: { ...omit, ...fields } }) },
    unasked,
  }
}
