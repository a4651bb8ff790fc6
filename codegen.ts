import type { CodegenConfig } from '@graphql-codegen/cli'

/** Typed clients from the printed supergraph: the tests use one, so that a schema change breaks them at compile time. */
const config: CodegenConfig = {
  schema: 'schema/sdl/client.graphql',
  documents: ['tests/**/*.ts', 'examples/queries/*.graphql'],
  generates: {
    './tests/client/': {
      preset: 'client',
      presetConfig: {
        fragmentMasking: false,
        // What a server in trusted-document mode is given (INKLING_TRUSTED_DOCUMENTS).
        persistedDocuments: { hashAlgorithm: 'sha256' },
      },
      config: {
        useTypeImports: true,
        documentMode: 'string',
        enumsAsTypes: true,
        importExtension: '.ts',
        scalars: { DateTime: 'string', FeatureValue: 'number | string | null', JSON: 'unknown' },
      },
    },
  },
  importExtension: '.ts',
}

export default config
