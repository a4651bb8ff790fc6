/** The values of a GraphQL event stream (server-sent events of type `next`), until `complete`. */
export async function* readServerEvents(response: Response): AsyncGenerator<unknown> {
  let text = ''
  for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
    text += part
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const lines = text.slice(0, end).split('\n')
      text = text.slice(end + 2)
      const field = (name: string) =>
        lines
          .filter((line) => line.startsWith(`${name}:`))
          .map((line) => line.slice(name.length + 1).trimStart())
          .join('\n')
      if (field('event') === 'complete') return
      const data = field('data')
      if (data !== '') yield JSON.parse(data)
    }
  }
}
