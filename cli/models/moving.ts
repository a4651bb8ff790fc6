import { Command } from 'commander'
import { CHAMPION } from '../../ml/model-version.ts'
import { decideOn, findVersionOf, pointAlias, promote, removeAlias, rollBack } from '../../ml/rollout/promotion.ts'
import { InklingError } from '../../platform/errors.ts'
import type { Registry } from '../../registry/registry.ts'
import { BY, print, withModel } from './session.ts'

interface Options {
  readonly json?: boolean
  readonly reason?: string
  readonly expected?: string
  readonly remove?: boolean
  readonly reject?: boolean
}

const withOptions = (command: Command): Command =>
  command
    .option('--reason <text>', 'why; in the audit log')
    .option('--expected <version>', 'number or alias that you believe to hold the alias; refused when another one does')
    .option('--json', 'print JSON')

/** `inkling models promote churn 3`. Running processes follow within a second. */
export function promoteCommand(): Command {
  return withOptions(new Command('promote'))
    .summary('let a version serve')
    .argument('<model>', 'the model')
    .argument('<version>', 'a number or an alias')
    .action((name: string, selector: string, options: Options) =>
      withModel(name, async (model, registry) => {
        const version = await findVersionOf(registry, model, selector)
        const expected = await believed(registry, model, options)
        const move = await promote(registry, version, { movedBy: BY, reason: options.reason, expected })
        print(move, options.json, () => `${name} version ${version.number} serves.\n`)
      }),
    )
}

export function rollbackCommand(): Command {
  return withOptions(new Command('rollback'))
    .summary('let the version serve that served before, and end a running experiment')
    .argument('<model>', 'the model')
    .action((name: string, options: Options) =>
      withModel(name, async (model, registry) => {
        const expected = await believed(registry, model, options)
        const move = await rollBack(registry, model, { movedBy: BY, reason: options.reason, expected })
        const { number } = await findVersionOf(registry, model, CHAMPION)
        print(move, options.json, () => `${name} version ${number} serves again.\n`)
      }),
    )
}

export function aliasCommand(): Command {
  return withOptions(new Command('alias'))
    .summary('point an alias at a version, or remove it')
    .argument('<model>', 'the model')
    .argument('<alias>', 'champion, challenger, shadow or a name of your own')
    .argument('[version]', 'a number or another alias')
    .option('--remove', 'it points nowhere from now on')
    .action((name: string, alias: string, selector: string | undefined, options: Options) =>
      withModel(name, async (model, registry) => {
        if ((selector === undefined) !== (options.remove ?? false))
          throw new InklingError(
            'BAD_USER_INPUT',
            'An alias is pointed at one version, or removed.',
            'Name a version or pass --remove.',
          )
        const mover = { movedBy: BY, reason: options.reason, expected: await believed(registry, model, options) }
        if (selector === undefined) {
          const move = await removeAlias(registry, model, alias, mover)
          return print(move, options.json, () => `${name} has no ${alias} any more.\n`)
        }
        const version = await findVersionOf(registry, model, selector)
        const move = await pointAlias(registry, version, alias, mover)
        print(move, options.json, () => `${alias} of ${name} is version ${version.number}.\n`)
      }),
    )
}

export function approveCommand(): Command {
  return withOptions(new Command('approve'))
    .summary('let a version serve that waits for approval, or reject it')
    .argument('<model>', 'the model')
    .argument('<version>', 'its number')
    .option('--reject', 'reject it')
    .action((name: string, selector: string, options: Options) =>
      withModel(name, async (model, registry, { database }) => {
        const { id, number } = await findVersionOf(registry, model, selector)
        const expected = await believed(registry, model, options)
        const mover = { movedBy: BY, reason: options.reason, expected }
        const version = await decideOn(database, registry, id, !options.reject, mover)
        print(version, options.json, () => `${name} version ${number} ${options.reject ? 'is rejected' : 'serves'}.\n`)
      }),
    )
}

async function believed(
  registry: Registry,
  model: Parameters<typeof findVersionOf>[1],
  { expected }: Options,
): Promise<string | undefined> {
  return expected === undefined ? undefined : (await findVersionOf(registry, model, expected)).id
}
