import { GraphQLError, locatedError } from 'graphql'
import { describe, expect, it } from 'vitest'
import { maskErrors } from '../../gateway/client-error.ts'
import { InklingError } from '../../platform/errors.ts'
import { createLog } from '../../platform/log.ts'

describe('masking', () => {
  const mask = (error: unknown) => {
    const lines: { requestId: string; subgraph?: string; err?: unknown }[] = []
    const log = Object.assign(createLog('silent'), { error: (line: (typeof lines)[number]) => lines.push(line) })
    const located = locatedError(error, [], ['learner', 'score'])
    const result = maskErrors({ errors: [located] }, { request: { requestId: 'r-7', log }, subgraph: 'ml' })
    return { shown: JSON.parse(JSON.stringify(result.errors![0])), lines }
  }

  it('passes errors that were raised on purpose, with code, hint and path, and logs nothing', () => {
    const { shown, lines } = mask(new InklingError('MODEL_NOT_TRAINED', 'No version of "churn" serves.', 'Train it.'))
    expect(shown).toEqual({
      message: 'No version of "churn" serves.',
      path: ['learner', 'score'],
      extensions: { code: 'MODEL_NOT_TRAINED', hint: 'Train it.', retryable: true },
    })
    expect(lines).toEqual([])
  })

  it('passes GraphQL errors that carry a code, without the rest of their extensions', () => {
    const error = new GraphQLError('No such day.', { extensions: { code: 'BAD_USER_INPUT', stack: 'at /srv/app.ts' } })
    expect(mask(error).shown.extensions).toEqual({ code: 'BAD_USER_INPUT' })
  })

  it.each([
    ['an error of a driver', new Error('password authentication failed for user "inkling"')],
    ['a GraphQL error without a code', new GraphQLError('select "password" from users')],
    [
      'a GraphQL error that says INTERNAL',
      new GraphQLError('/srv/app.ts', { extensions: { code: 'INTERNAL_SERVER_ERROR' } }),
    ],
    ['a thrown string', 'secret'],
  ])('hides %s behind the request id and logs the cause once', (_name, error) => {
    const { shown, lines } = mask(error)
    expect(shown).toEqual({
      message: 'Something went wrong (request r-7)',
      path: ['learner', 'score'],
      extensions: { code: 'INTERNAL', requestId: 'r-7' },
    })
    expect(lines).toMatchObject([{ requestId: 'r-7', subgraph: 'ml' }])
    expect(lines[0]!.err).toBeTruthy()
  })

  it('says nothing twice: what is masked stays as it is', () => {
    const log = createLog('silent')
    const site = { request: { requestId: 'r-8', log } }
    const once = maskErrors({ errors: [new GraphQLError('x', { originalError: new Error('y') })] }, site)
    const twice = maskErrors(once, { request: { requestId: 'another', log } })
    expect(JSON.stringify(twice)).toBe(JSON.stringify(once))
  })
})
