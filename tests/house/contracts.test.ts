import { expect, it } from 'vitest'
import { describeGraph, staleContracts } from '../../contracts.ts'

it('keeps the printed SDL current (`npm run codegen` writes it)', async () => {
  expect(staleContracts(await describeGraph())).toEqual([])
})
