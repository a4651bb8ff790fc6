export type Extensions = Readonly<Record<string, unknown>>

/** What two calls of one operation say, as one: numbers add up, objects are joined, anything else is the later one's. */
export function addExtensions(first: Extensions | null, second: Extensions): Extensions {
  if (!first) return second
  const sum: Record<string, unknown> = Object.assign(Object.create(null), first)
  for (const [name, value] of Object.entries(second)) {
    const before = sum[name]
    if (typeof before === 'number' && typeof value === 'number') sum[name] = before + value
    else if (isObject(before) && isObject(value)) sum[name] = addExtensions(before, value)
    else sum[name] = value
  }
  return sum
}

function isObject(value: unknown): value is Extensions {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
