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
    under = await startApp({ learners: 110 })
  }, 240_000)
  afterAll(() => under.close())

  /** Changes what was known at the training. */
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

  const optionsOf = (name: string) => ({
    model: models.find((candidate) => candidate.name === name)!,
    registry: under.app.registry,
    client: under.ground.learning,
    receipt: receipts.get(name)!,
  })
  const hourAfter = ({ extractedAt }: Receipt) => new Date(Date.parse(extractedAt) + 3_600_000)

  it('are repeated to the byte after the school has moved on', async () => {
    const later = hourAfter(receipts.get('withdrawal')!)
    await under.database.query(
      `INSERT INTO "learning"."Attempt" ("id", "learnerId", "objectiveId", "enrollmentId", "submittedAt", "score", "isBanked")
       SELECT 'later-' || row_number() OVER (), "learnerId", "objectiveId", "enrollmentId", $1, 3, false FROM "learning"."Attempt" LIMIT 500`,
      [later.toISOString()],
    )
    for (const name of ['struggle', 'withdrawal'])
      expect(await verifyReceipt(optionsOf(name))).toMatchObject({
        isEqual: true,
        differences: [],
        rowsFrom: 'database',
      })
  })

  it('are not once the past itself was changed, and the column is named', async () => {
    const options = optionsOf('withdrawal')
    await turnScores(hourAfter(options.receipt))
    const { isEqual, differences } = await verifyReceipt(options)
    expect(isEqual).toBe(false)
    expect(differences.find(({ part }) => part === 'rows')?.says).toMatch(/[sS]core/)
  })
})
