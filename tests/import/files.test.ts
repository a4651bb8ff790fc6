import { linkSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { refuseOtherTypes } from '../../ml/import/file-type.ts'
import { readImportFile } from '../../ml/import/import-folder.ts'
import { MOST_FILE_BYTES } from '../../ml/import/onnx-file.ts'
import { parsePlan, resolvePlan } from '../../ml/import/plan.ts'
import { scanOnnx } from '../../ml/import/scan.ts'
import { openTrial, type Trial } from '../../ml/import/trial.ts'
import { Encoder } from '../../trainer/onnx/encoder.ts'
import { createRandom } from '../../trainer/random.ts'
import { toyModel } from '../ml/toy-model.ts'
import { attributeOf, declared, evil, externalTensor, fileOf, graphOf, nodeOf, tensorOf } from './evil.ts'
import { readVector, vectorNames } from './vectors.ts'

let trial: Trial
beforeAll(async () => {
  trial = await openTrial()
})
afterAll(() => trial.close())

const model = toyModel()
const attempt = async (file: Uint8Array, content: object) =>
  trial.ask<{ onnx: Uint8Array; producer: string }>({
    type: 'import',
    file,
    plan: resolvePlan(parsePlan(content), model),
  })
const refusalOf = (work: Promise<unknown>) =>
  work.then(
    () => 'taken',
    (error: { code?: string; message: string }) => `${error.code}: ${error.message}`,
  )

describe('a model file from elsewhere', () => {
  it.each(vectorNames)('is taken as its library answers: %s', async (name) => {
    const { file, content } = readVector(name)
    expect((await attempt(file, content)).onnx.length).toBeGreaterThan(100)
  })

  it('is refused with the way out when its probabilities are dictionaries', async () => {
    const { file, content } = readVector('zipmap')
    await expect(attempt(file, content)).rejects.toMatchObject({
      code: 'IMPORT_INVALID',
      hint: expect.stringContaining("'zipmap': False"),
    })
  })

  it('is refused when inputs are in another order, or a missing value gives no probability', async () => {
    const { file, content } = readVector('scikit-logistic')
    const [x, red, green] = content.inputs as object[]
    const says = (inputs: unknown) => refusalOf(attempt(file, { ...content, inputs }))
    expect(await says([red, x, green])).toMatch(/IMPORT_INVALID.*golden row/)
    expect(await says([{ feature: 'x' }, red, green])).toMatch(/IMPORT_INVALID.*(golden row|missing)/)
    expect(await says([x, red])).toMatch(/has 3 columns, and the plan names 2/)
    expect(await says({ other: [x, red, green] })).toMatch(/no input "other"/)
    expect(await says([x, red, { feature: 'colour' }])).toMatch(/BAD_USER_INPUT.*colour is a category/)
    expect(await says([x, red, { feature: 'nobody' }])).toMatch(/BAD_USER_INPUT.*no feature "nobody"/)
    expect(await refusalOf(attempt(file, { ...content, golden: [] }))).toMatch(/golden rows prove nothing/)
    expect(await refusalOf(attempt(file, { ...content, output: 'label' }))).toMatch(/int64/)
    const network = readVector('network')
    expect(await refusalOf(attempt(network.file, { ...network.content, scale: 'probability' }))).toMatch(
      /no probability/,
    )
  })

  it('never reads columns that a node invents', async () => {
    const { file, content } = readVector('scikit-boosted')
    const { golden, output } = content
    const inputs = [{ feature: 'x', missing: 0 }]
    const patched = Buffer.from(file)
    // the input now promises any number of columns; the trees still look at the third
    const shape = patched.indexOf(Buffer.from([0x08, 0x03, 0x62])) // dim_value: 3 before the outputs
    expect(shape).toBeGreaterThan(0)
    patched[shape + 1] = 1
    expect(await refusalOf(attempt(patched, { golden, output, inputs }))).toMatch(/IMPORT_INVALID/)
  })
})

describe('the scan', () => {
  const says = (file: Uint8Array) => {
    try {
      scanOnnx(file)
      return 'taken'
    } catch (error) {
      return (error as Error).message
    }
  }
  const floats = new Uint8Array(4)

  it('takes the plainest graph', () => {
    expect(says(evil({}))).toBe('taken')
  })

  it.each(['../../etc/passwd', '/etc/passwd', 'weights.bin', 'a/../../b'])(
    'refuses data outside the file: %s',
    (path) => {
      expect(says(evil({ constants: [externalTensor('w', path)] }))).toMatch(/outside the file/)
      const constant = nodeOf(
        'Constant',
        [],
        ['c'],
        [attributeOf('value').message(5, externalTensor('w', path)).integer(20, 4)],
      )
      expect(says(evil({ nodes: [constant] }))).toMatch(/outside the file/)
      const inner = graphOf({ constants: [externalTensor('w', path)] })
      const branch = nodeOf('If', ['X'], ['p'], [attributeOf('then_branch').message(6, inner).integer(20, 5)])
      expect(says(evil({ nodes: [branch] }))).toMatch(/outside the file/)
      const list = nodeOf('Relu', ['X'], ['p'], [attributeOf('list').message(10, externalTensor('w', path))])
      expect(says(evil({ nodes: [list] }))).toMatch(/outside the file/)
    },
  )

  it('refuses data that is only marked as lying outside', () => {
    expect(says(evil({ constants: [tensorOf('w', [1], floats).integer(14, 1)] }))).toMatch(/outside the file/)
  })

  it('refuses control flow, functions, foreign and unlisted operators', () => {
    const body = attributeOf('body').message(6, graphOf({})).integer(20, 5)
    for (const operator of ['If', 'Loop', 'Scan'])
      expect(says(evil({ nodes: [nodeOf(operator, ['X'], ['p'], [body])] }))).toMatch(/graph of its own/)
    expect(says(evil({ nodes: [nodeOf('Loop', ['X'], ['p'])] }))).toMatch(/uses Loop/)
    expect(says(fileOf(graphOf({}), (file) => file.message(25, new Encoder().text(1, 'f'))))).toMatch(/functions/)
    expect(says(evil({ nodes: [nodeOf('Exec', ['X'], ['p'], [], 'com.evil')] }))).toMatch(/not part of ONNX/)
    for (const operator of ['Expand', 'Tile', 'ConstantOfShape', 'RandomNormal', 'NonZero', 'Whatever'])
      expect(says(evil({ nodes: [nodeOf(operator, ['X'], ['p'])] }))).toMatch(/not on the list/)
  })

  it('refuses shapes that promise more than the file holds', () => {
    expect(says(evil({ constants: [tensorOf('w', [2 ** 32], floats)] }))).toMatch(/shape/)
    expect(says(evil({ constants: [tensorOf('w', [65_536, 65_536], floats)] }))).toMatch(/elements/)
    expect(says(evil({ constants: [tensorOf('w', [0xffff, 2], floats)] }))).toMatch(/promises/)
    expect(says(evil({ constants: [tensorOf('w', [1], floats, 10)] }))).toMatch(/type 10/)
    expect(says(new Uint8Array(MOST_FILE_BYTES + 1))).toMatch(/at most/)
  })

  it('refuses graphs that contradict themselves', () => {
    expect(says(evil({ nodes: [nodeOf('Relu', ['nobody'], ['p'])] }))).toMatch(/nobody made/)
    expect(says(evil({ nodes: [nodeOf('Relu', ['X'], ['X'])] }))).toMatch(/two values/)
    expect(says(evil({ outputs: [declared('q', ['N', 1])] }))).toMatch(/nobody makes/)
    expect(says(fileOf(graphOf({}), (file) => file.message(7, graphOf({}))))).toMatch(/two of/)
    expect(says(fileOf(graphOf({}), (file) => file.integer(99, 1)))).toMatch(/field 99/)
    expect(says(evil({ nodes: Array.from({ length: 2001 }, () => nodeOf('Relu', ['X'], [''])) }))).toMatch(
      /more than 2000/,
    )
  })

  it('refuses trees that lead back, look outside or name what is not there', () => {
    const tree = (change: Record<string, number[]>) => {
      const ids: Record<string, number[]> = {
        nodes_treeids: [0, 0, 0],
        nodes_nodeids: [0, 1, 2],
        nodes_featureids: [0, 0, 0],
        nodes_truenodeids: [1, 0, 0],
        nodes_falsenodeids: [2, 0, 0],
        target_treeids: [0, 0],
        target_nodeids: [1, 2],
        target_ids: [0, 0],
        ...change,
      }
      const attributes = Object.entries(ids).map(([name, values]) =>
        attributeOf(name).integers(8, values).integer(20, 7),
      )
      const modes = attributeOf('nodes_modes')
        .text(9, 'BRANCH_LEQ')
        .text(9, change.cycle ? 'BRANCH_LEQ' : 'LEAF')
        .text(9, 'LEAF')
      const floatsOf = (name: string, count: number) =>
        attributeOf(name).floats(7, new Float32Array(count)).integer(20, 6)
      const all = [...attributes.filter((_, at) => Object.keys(ids)[at] !== 'cycle'), modes.integer(20, 8)]
      all.push(floatsOf('nodes_values', 3), floatsOf('target_weights', 2))
      return evil({ nodes: [nodeOf('TreeEnsembleRegressor', ['X'], ['p'], all, 'ai.onnx.ml')] })
    }
    expect(says(tree({}))).toBe('taken')
    expect(says(tree({ cycle: [1], nodes_truenodeids: [1, 0, 0], nodes_falsenodeids: [2, 2, 0] }))).toMatch(
      /leads back/,
    )
    expect(says(tree({ nodes_truenodeids: [7, 0, 0] }))).toMatch(/named and missing/)
    expect(says(tree({ nodes_featureids: [2 ** 40, 0, 0] }))).toMatch(/looks at column/)
    expect(says(tree({ target_ids: [0, 5] }))).toMatch(/adds to output 5/)
    expect(says(tree({ target_nodeids: [0, 2] }))).toMatch(/no leaf/)
    expect(says(tree({ nodes_nodeids: [0, 1, 1] }))).toMatch(/twice|missing/)
    expect(says(tree({ nodes_treeids: [0, 0] }))).toMatch(/entries/)
  })

  it('opens no pickle, archive or program', () => {
    const starts: Record<string, readonly number[]> = {
      pickle: [0x80, 4, 0x95],
      'old pickle': [...Buffer.from('cos\nsystem\n')],
      joblib: [0x78, 0x9c, 1],
      zip: [...Buffer.from('PK\x03\x04')],
      gzip: [0x1f, 0x8b, 8],
      HDF5: [0x89, 0x48, 0x44, 0x46],
      ELF: [0x7f, 0x45, 0x4c, 0x46],
      nothing: [],
    }
    for (const start of Object.values(starts)) expect(() => refuseOtherTypes(Uint8Array.from(start))).toThrow(/refused/)
    for (const name of vectorNames) refuseOtherTypes(readVector(name).file)
  })
})

describe('the process that tries a file', () => {
  it('ends when the file makes it need too much memory or time, and the caller goes on', async () => {
    // every Concat doubles the columns: a few bytes of file, and as much memory as there is
    const nodes = Array.from({ length: 60 }, (_, at) =>
      nodeOf(
        'Concat',
        [at === 0 ? 'X' : `v${at}`, at === 0 ? 'X' : `v${at}`],
        [`v${at + 1}`],
        [attributeOf('axis').integer(3, 1).integer(20, 2)],
      ),
    )
    const file = evil({
      nodes: [...nodes, nodeOf('ReduceMean', ['v60'], ['p'], [attributeOf('axes').integers(8, [1]).integer(20, 7)])],
    })
    const small = await openTrial({ memoryMb: 400, seconds: 20 })
    const golden = Array.from({ length: 3 }, () => ({ features: { x: 0.5 }, probability: 0.5 }))
    const plan = resolvePlan(parsePlan({ inputs: ['x'], golden }), model)
    const before = process.memoryUsage.rss()
    expect(await refusalOf(small.ask({ type: 'import', file, plan }))).toMatch(/IMPORT_INVALID/)
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 2 ** 20)
    await small.close()
    const hasty = await openTrial({ memoryMb: 400, seconds: 0.001 })
    expect(await refusalOf(hasty.ask({ type: 'import', file, plan }))).toMatch(/longer than/)
    expect(await refusalOf(hasty.ask({ type: 'import', file, plan }))).toMatch(/IMPORT_INVALID/)
    await hasty.close()
  })

  it('survives or dies of hundreds of damaged files, each refused or proven, and its parent never notices', async () => {
    const files = Number(process.env.INKLING_FUZZ_FILES ?? 240)
    const random = createRandom(Number(process.env.INKLING_FUZZ_SEED ?? 7))
    const vectors = vectorNames.map(readVector)
    const outcomes = { refused: 0, taken: 0, died: 0 }
    for (let n = 0; n < files; n++) {
      const { file, plan } = vectors[n % vectors.length]!
      const resolved = resolvePlan(plan, model)
      try {
        await trial.ask({ type: 'import', file: damaged(file, random), plan: resolved })
        outcomes.taken++
      } catch (error) {
        expect(error).toMatchObject({ code: 'IMPORT_INVALID' })
        outcomes.refused++
        if (/died|longer|needs more/.test((error as Error).message)) {
          outcomes.died++
          await trial.close()
          trial = await openTrial()
        }
      }
    }
    expect(outcomes.refused).toBeGreaterThan(files / 3)
    expect(outcomes.refused + outcomes.taken).toBe(files)
  })
})

function damaged(file: Uint8Array, random: ReturnType<typeof createRandom>): Uint8Array {
  const bytes = Buffer.from(file)
  const at = random.below(bytes.length)
  const act = random.below(6)
  if (act === 0) return bytes.subarray(0, at)
  if (act === 1)
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + random.below(40)))])
  if (act === 2) return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + 60), bytes.subarray(at)])
  if (act === 3) return bytes.fill(random.below(2) * 255, at, at + 1 + random.below(12))
  for (let flip = 0; flip <= random.below(4); flip++) bytes[random.below(bytes.length)]! ^= 1 << random.below(8)
  return bytes
}

describe('the import folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'inkling-import-'))
  const outside = mkdtempSync(join(tmpdir(), 'inkling-outside-'))
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
    rmSync(outside, { recursive: true, force: true })
  })

  it('gives a plain file of its own, and no link, path, device or giant', async () => {
    writeFileSync(join(folder, 'good.onnx'), 'bytes')
    writeFileSync(join(outside, 'secret'), 'secret')
    symlinkSync(join(outside, 'secret'), join(folder, 'link.onnx'))
    linkSync(join(outside, 'secret'), join(folder, 'hard.onnx'))
    writeFileSync(join(folder, 'giant.onnx'), '')
    truncateSync(join(folder, 'giant.onnx'), 2 ** 31)
    expect(Buffer.from(await readImportFile(folder, 'good.onnx')).toString()).toBe('bytes')
    for (const name of ['link.onnx', 'hard.onnx', 'none.onnx'])
      await expect(readImportFile(folder, name)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    for (const name of [
      '../x',
      '/etc/passwd',
      '..',
      'a/../b',
      '%2e%2e',
      'a\0b',
      'CON',
      'nul.onnx',
      'x'.repeat(300),
      '',
    ])
      await expect(readImportFile(folder, name)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' })
    await expect(readImportFile(folder, 'giant.onnx')).rejects.toMatchObject({ code: 'BAD_USER_INPUT' })
    await expect(readImportFile(undefined, 'good.onnx')).rejects.toMatchObject({ code: 'BAD_USER_INPUT' })
  })
})
