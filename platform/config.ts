import { z } from 'zod'
import { authenticationSettings } from './authentication-settings.ts'
import { port, seconds } from './config-values.ts'
import { InklingError } from './errors.ts'
import { limitSettings } from './limit-settings.ts'
import { llmSettings } from './llm-settings.ts'
import { maskPath, maskSecrets } from './masking.ts'
import { monitoringSettings } from './monitoring-settings.ts'
import { rateSettings } from './rate-settings.ts'
import { roleSettings } from './role-settings.ts'

/** Every setting, where it comes from and why its bounds are what they are. */
const settings = {
  HOST: z.string().min(1).default('127.0.0.1').describe('Address to listen on. Loopback unless said otherwise.'),
  PORT: port().default(4000).describe('Port to listen on; 0 takes a free one.'),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must start with postgres:// or postgresql://')
    .optional()
    .describe('A PostgreSQL server. Without it the embedded database in INKLING_DATA_DIR is used.'),
  DATABASE_POOL_SIZE: z.coerce
    .number()
    .int()
    .min(2, 'needs 2: one connection listens for notifications')
    .max(200)
    .default(10)
    .describe('Connections to the server.'),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'must start with redis:// or rediss://')
    .optional()
    .describe("A Redis that tells processes of jobs and events; without it the database's NOTIFY does."),
  INKLING_DATA_DIR: z.string().min(1).default('.inkling').describe('Folder of the embedded database.'),
  INKLING_NOW: z.iso
    .datetime({ offset: true })
    .optional()
    .describe("Freezes the data's clock at a moment; overrides the one stored by an import."),
  INKLING_SEED: z.coerce
    .number()
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(7)
    .describe('Seed of training and of the simulated school.'),
  INKLING_SHADOW_SHARE: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe('Share of served rows that a shadow version scores too, after they were served.'),
  INKLING_WORKER: z.enum(['on', 'off']).default('on').describe('Whether this process runs jobs.'),
  INKLING_ARTEFACTS: z
    .string()
    .regex(
      /^(postgres|folder:.+|s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[\w./-]*)?)$/,
      'is postgres, folder:<path> or s3://bucket/prefix',
    )
    .default('postgres')
    .describe('Where large artefacts lie: postgres (the database), folder:<path> or s3://bucket/prefix.'),
  INKLING_ARTEFACTS_THRESHOLD: z.coerce
    .number()
    .int()
    .min(0)
    .max(200 * 2 ** 20, 'a row holds at most 200 MB')
    .default(2 ** 20)
    .describe('Artefacts of at most so many bytes stay in the database all the same.'),
  INKLING_ARTEFACTS_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Origin of an S3-compatible server; AWS when absent.'),
  INKLING_ARTEFACTS_REGION: z.string().min(1).default('us-east-1').describe('Region that the signature names.'),
  INKLING_ARTEFACTS_KEY: z.string().min(1).optional().describe('Access key id of the S3 store.'),
  INKLING_ARTEFACTS_SECRET: z.string().min(1).optional().describe('Secret access key of the S3 store.'),
  INKLING_IMPORT_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('Folder whose model files the mutation importVersion may name; without it files come in the request.'),
  INKLING_TRAINING_MEMORY_MB: z.coerce
    .number()
    .int()
    .min(256, 'needs 256: Node and the trainer take 150 of it')
    .default(2048)
    .describe('Memory of the process that a training job fits in; one that needs more fails alone.'),
  INKLING_LLM_CONFIG: z
    .string()
    .min(1)
    .optional()
    .describe(
      'File that declares providers and targets; llm.config.yaml or llm.config.ts of the working folder otherwise.',
    ),
  INKLING_OLLAMA_URL: z
    .union([z.literal('off'), z.url({ protocol: /^https?$/ })])
    .default('http://127.0.0.1:11434')
    .describe('Where Ollama is looked for when no file declares targets; off looks nowhere.'),
  SHUTDOWN_SECONDS: seconds(1, 60).default(8).describe('How long running requests may take to end after SIGTERM.'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error']) // no 'silent': the gateway's runtime reads LOG_LEVEL too and refuses it
    .default('info')
    .describe('Least severe level logged.'),
  NODE_ENV: z.string().default('development').describe('production hides GraphiQL and introspection.'),
  ...roleSettings,
  ...authenticationSettings,
  ...limitSettings,
  ...monitoringSettings,
  ...rateSettings,
  ...llmSettings,
}

const schema = z.object(settings)

export type Config = Readonly<z.infer<typeof schema>>
export type SettingName = keyof Config

/** Reads every setting from the environment. Throws CONFIG_INVALID that lists all faults at once. */
export function loadConfig(environment: Record<string, string | undefined> = process.env): Config {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  )
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  throw new InklingError(
    'CONFIG_INVALID',
    `The configuration has ${faults.length} fault${faults.length === 1 ? '' : 's'}: ${faults.join('; ')}`,
    'Correct these environment variables; `inkling doctor` lists every setting.',
  )
}

/** A variable that a configuration file refers to. */
export function readVariable(
  name: string,
  environment: Record<string, string | undefined> = process.env,
): string | undefined {
  return environment[name]
}

/** Every setting with its value, where it came from and what it means; no value shows a secret. */
export function describeConfig(config: Config, environment: Record<string, string | undefined> = process.env) {
  return (Object.keys(settings) as SettingName[]).map((name) => ({
    name,
    value: shownValue(name, config[name]),
    source: environment[name] ? 'environment' : 'default',
    says: settings[name].description ?? '',
  }))
}

function shownValue(name: string, value: unknown): string {
  if (value === undefined) return ''
  if (/_(SECRET|KEY|PASSWORD|TOKEN)$/.test(name)) return '***'
  return /_WEBHOOK$/.test(name) ? maskPath(String(value)) : maskSecrets(String(value))
}
