import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MODEL_KIND } from '../../ml/model-version.ts'
import { parseReceipt, type Receipt } from '../../ml/receipt/receipt.ts'
import { verifyReceipt } from '../../ml/receipt/verification.ts'
import { models } from '../../models/index.ts'
import { type AppUnderTest, startApp } from '../app/app-under-test.ts'

describe('the versions of the first start', { timeout: 240_000 }, () => {
  let under: AppUnderTest
  const receipts = new Map<string, Receipt>()

  beforeAll(async () => {
    under = await startApp({ learners: 150 })
  }, 240_000)
  afterAll(() => under.close())

  /** Changes what was known at the training; a second time undoes it. */
  const turnScores = (later: Date) =>
    under.database.query(
      `UPDATE "learning"."Attempt" SET "score" = 100 - "score" WHERE "id" IN (
         SELECT "id" FROM "learning"."Attempt" WHERE "submittedAt" < $1::timestamptz - interval '200 days' ORDER BY "id" LIMIT 300)`,
      [later.toISOString()],
    )

  it('have receipts', async () => {
    const { registry } = under.app
    for (const { name } of models) {
      const [version] = await registry.list(MODEL_KIND, name)
      if (!version) continue // too few rows in so small a school
      const receipt = parseReceipt(Buffer.from(await registry.artefact(version, 'receipt')).toString(), name)
      expect(receipt.artefacts).toMatchObject({ onnx: version.artefacts.onnx, explainer: version.artefacts.explainer })
      receipts.set(name, receipt)
    }
    expect(receipts.has('struggle')).toBe(true)
    expect(receipts.has('withdrawal')).toBe(true)
  })

  it.each(['struggle', 'withdrawal'])('are repeated to the byte after the school has moved on: %s', async (name) => {
    const { app, database, ground } = under
    const model = models.find((candidate) => candidate.name === name)!
    const options = { model, registry: app.registry, client: ground.learning, receipt: receipts.get(name)! }
    const later = new Date(Date.parse(options.receipt.extractedAt) + 3_600_000)
    await database.query(
      `INSERT INTO "learning"."Attempt" ("id", "learnerId", "objectiveId", "enrollmentId", "submittedAt", "score", "isBanked")
       SELECT $2 || row_number() OVER (), "learnerId", "objectiveId", "enrollmentId", $1, 3, false FROM "learning"."Attempt" LIMIT 500`,
      [later.toISOString(), `later-${name}-`],
    )
    expect(await verifyReceipt(options)).toMatchObject({ isEqual: true, differences: [], rowsFrom: 'database' })
    await turnScores(later)
    const { isEqual, differences } = await verifyReceipt(options)
    expect(isEqual).toBe(false)
    expect(differences.find(({ part }) => part === 'rows')?.says).toMatch(/[sS]core/)
    await turnScores(later)
  })
})
