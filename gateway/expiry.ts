/** The longest that a timer of Node can wait. */
const LONGEST_MS = 2 ** 31 - 1

/** Acts once a moment has come; never without one. Returns the way to forget it. */
export function actAt(moment: Date | undefined, act: () => void): () => void {
  if (!moment) return () => {}
  let timer: NodeJS.Timeout
  const wait = () => {
    const left = moment.getTime() - Date.now()
    if (left <= 0) return act()
    timer = setTimeout(wait, Math.min(left, LONGEST_MS))
    timer.unref() // what has nothing left to do but to expire may end
  }
  wait()
  return () => clearTimeout(timer)
}
