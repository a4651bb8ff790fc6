import { Command } from 'commander'
import { metricNames } from '../../ml/metric-order.ts'
import { MODEL_KIND, type ModelVersion } from '../../ml/model-version.ts'
import { findVersionOf } from '../../ml/rollout/promotion.ts'
import type { AliasMove } from '../../registry/version.ts'
import { print, withModel } from './session.ts'

/** `inkling models show churn [version]`: one version and what happened to its aliases. */
export function showCommand(): Command {
  return new Command('show')
    .summary('show one version: figures, gates and the moves of aliases')
    .argument('<model>', 'the model')
    .argument('[version]', 'its number or an alias', 'champion')
    .option('--json', 'print JSON')
    .action((name: string, selector: string, options: { readonly json?: boolean }) =>
      withModel(name, async (model, registry) => {
        const version = await findVersionOf(registry, model, selector)
        const moves = (await registry.moves(MODEL_KIND, model.name)).filter(
          ({ fromId, toId }) => fromId === version.id || toId === version.id,
        )
        print({ ...version, moves }, options.json, () => describe(version, moves))
      }),
    )
}

function describe(
  { id, name, number, state, reasons, createdAt, createdBy, contents }: ModelVersion,
  moves: AliasMove[],
) {
  const { learner, rows, positives, window, metrics, intervals, gates = [], comparison } = contents
  const lines = [
    `${name} version ${number}, ${state.toLowerCase()}: ${learner}`,
    `  ${id}, ${createdAt.toISOString().slice(0, 16)} by ${createdBy}`,
    `  ${rows} rows from ${window.from.slice(0, 10)} to ${window.to.slice(0, 10)}, ${positives} positive`,
    ...reasons.map((reason) => `  ${reason}`),
    ...metricNames(metrics).map((metric) => {
      const value = metrics[metric]
      const interval = intervals?.[metric]
      const shown = interval ? `  (95 %: ${interval[0].toFixed(4)} to ${interval[1].toFixed(4)})` : ''
      return `  ${metric.padEnd(12)} ${value?.toFixed(4) ?? 'not enough data'}${shown}`
    }),
    ...gates.map(({ isPassed, says }) => `  gate ${isPassed ? 'passed' : 'failed'}: ${says}`),
    ...(comparison
      ? [
          `  compared with version ${comparison.number} on ${comparison.rows} rows${comparison.isUnseen ? '' : ' (it has learned from some)'}`,
        ]
      : []),
    ...moves.map(
      ({ movedAt, movedBy, alias, act, toId, reason }) =>
        `  ${movedAt.toISOString().slice(0, 19)} ${alias} ${toId === id ? (act === 'ROLLBACK' ? 'rolled back here' : 'moved here') : 'left'} by ${movedBy}: ${reason}`,
    ),
  ]
  return `${lines.join('\n')}\n`
}
