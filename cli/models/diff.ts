import { Command } from 'commander'
import { differenceOf, type Figure, type VersionDifference } from '../../ml/rollout/difference.ts'
import { findVersionOf } from '../../ml/rollout/promotion.ts'
import { print, withModel } from './session.ts'

/** `inkling models diff churn 3 champion`: two versions side by side. */
export function diffCommand(): Command {
  return new Command('diff')
    .summary('hold two versions side by side')
    .argument('<model>', 'the model')
    .argument('<before>', 'a number or an alias')
    .argument('[after]', 'a number or an alias', 'champion')
    .option('--json', 'print JSON')
    .action((name: string, before: string, after: string, options: { readonly json?: boolean }) =>
      withModel(name, async (model, registry) => {
        const versions = await Promise.all([before, after].map((selector) => findVersionOf(registry, model, selector)))
        const { features, metrics, settings } = differenceOf(versions[0]!, versions[1]!)
        const numbers = { before: versions[0]!.number, after: versions[1]!.number }
        print({ model: name, ...numbers, features, metrics, settings }, options.json, () =>
          describe(name, numbers, { features, metrics, settings }),
        )
      }),
    )
}

function describe(
  name: string,
  { before, after }: { readonly before: number; readonly after: number },
  { features, metrics, settings }: Pick<VersionDifference, 'features' | 'metrics' | 'settings'>,
): string {
  const lines = [
    `${name} version ${before} -> version ${after} (each on its own hold-out)`,
    ...metrics.map((pair) => `  ${pair.name.padEnd(12)} ${figure(pair.before)} -> ${figure(pair.after)}`),
    ...[...features.map((change) => ({ ...change, name: `feature ${change.name}` })), ...settings].map(
      (change) => `  ${change.name}: ${change.before ?? '(not there)'} -> ${change.after ?? '(not there)'}`,
    ),
  ]
  return `${lines.join('\n')}\n`
}

function figure({ value, low, high }: Figure): string {
  const shown = value?.toFixed(4) ?? '-'
  return low === null || high === null ? shown : `${shown} (${low.toFixed(4)} to ${high.toFixed(4)})`
}
