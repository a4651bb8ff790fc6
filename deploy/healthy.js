// Exit code 0 when the process on this port says that it is ready: node deploy/healthy.js <port>
try {
  const { ok } = await fetch(`http://127.0.0.1:${process.argv[2]}/health`, { signal: AbortSignal.timeout(2_500) })
  process.exitCode = ok ? 0 : 1
} catch {
  process.exitCode = 1
}
