import type { ServerResponse } from 'node:http'
import type { Call } from './behaviour.ts'

/** What is asked of providers besides answers: embeddings, lists of LLMs, versions. */
export function answerOther({ path, body, llm }: Call, response: ServerResponse): void {
  const send = (payload: unknown, status = 200) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(payload))
  }
  if (path.endsWith('/embeddings')) {
    const texts: string[] = [body.input].flat()
    const asNumbers = (text: string) =>
      body.encoding_format === 'base64'
        ? Buffer.from(new Float32Array(embed(text)).buffer).toString('base64')
        : embed(text)
    send({
      object: 'list',
      model: llm,
      data: texts.map((text, index) => ({ object: 'embedding', index, embedding: asNumbers(text) })),
      usage: { prompt_tokens: wordsOf(texts), total_tokens: wordsOf(texts) },
    })
  } else if (path.endsWith('/api/embed')) {
    const texts: string[] = [body.input].flat()
    send({ model: llm, embeddings: texts.map(embed), prompt_eval_count: wordsOf(texts) })
  } else if (path.includes(':batchEmbedContents')) {
    const texts = (body.requests as { content: { parts: { text: string }[] } }[]).map(({ content }) =>
      content.parts.map(({ text }) => text).join(''),
    )
    send({ embeddings: texts.map((text) => ({ values: embed(text) })) })
  } else if (path.includes(':embedContent')) {
    send({ embedding: { values: embed(body.content.parts[0].text) } })
  } else if (path.endsWith('/api/version')) {
    send({ version: '0.12.0' })
  } else if (path.endsWith('/api/tags')) {
    send({
      models: [
        { name: 'llama3.2:latest', model: 'llama3.2:latest', size: 2_019_393_189, details: { family: 'llama' } },
        {
          name: 'nomic-embed-text:latest',
          model: 'nomic-embed-text:latest',
          size: 1,
          details: { family: 'nomic-bert' },
        },
      ],
    })
  } else if (path.endsWith('/api/show')) {
    send({ capabilities: ['completion', 'tools'], model_info: { 'llama.context_length': 131072 } })
  } else if (path.endsWith('/models')) {
    send({ object: 'list', data: [{ id: 'local-llm', object: 'model', created: 1_700_000_000, owned_by: 'local' }] })
  } else {
    send(
      { error: { message: `There is no ${path} here`, type: 'invalid_request_error', code: null, param: null } },
      404,
    )
  }
}

const wordsOf = (texts: readonly string[]) => texts.join(' ').split(/\s+/).filter(Boolean).length

/** Eight numbers of unit length; equal texts are equal, texts that share words are near. */
function embed(text: string): number[] {
  const sums = new Array<number>(8).fill(0)
  for (const word of text.toLowerCase().split(/\W+/).filter(Boolean)) {
    let hash = 2166136261
    for (const char of word) hash = Math.imul(hash ^ char.charCodeAt(0), 16777619)
    for (let index = 0; index < 8; index++) sums[index]! += ((hash >>> (index * 4)) & 15) - 7.5
  }
  const length = Math.hypot(...sums) || 1
  return sums.map((sum) => sum / length)
}
