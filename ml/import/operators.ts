import type { OnnxNode } from './onnx-node.ts'
import { refused, shown } from './refusal.ts'

/**
 * Operators that turn rows into scores: none reads a file, loops, draws at random, or makes much out of little (Expand, Tile, Pad,
 * Range, ConstantOfShape are left out for that).
 */
const general = new Set(
  `Abs Add And ArgMax ArgMin BatchNormalization Cast Ceil Clip Concat Constant Div Dropout Elu Equal Erf Exp Flatten Floor Gather
   Gelu Gemm Greater GreaterOrEqual HardSigmoid Identity IsInf IsNaN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax
   MatMul Max Mean Min Mul Neg Not Or Pow ReduceL1 ReduceL2 ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum Relu Reshape Round
   Selu Shape Sigmoid Sign Slice Softmax Softplus Softsign Sqrt Squeeze Sub Sum Tanh Transpose Unsqueeze Where Xor`.split(
    /\s+/,
  ),
)
/** Of ai.onnx.ml. */
const learned = new Set(
  `ArrayFeatureExtractor Binarizer Imputer LabelEncoder LinearClassifier LinearRegressor Normalizer OneHotEncoder Scaler
   TreeEnsembleClassifier TreeEnsembleRegressor`.split(/\s+/),
)
export const ML_DOMAIN = 'ai.onnx.ml'

/** Versions of the operator sets that the graph around the model can be written in. */
const versions: Readonly<Record<string, readonly [least: number, most: number]>> = { '': [11, 22], [ML_DOMAIN]: [1, 3] }

/** Throws IMPORT_INVALID for an operator set that is unknown here, or too old or new. */
export function checkOpsets(opsets: ReadonlyMap<string, number>): void {
  for (const [domain, version] of opsets) {
    const bounds = versions[domain]
    // converters name sets that they do not use; an operator of one is refused by itself
    if (!bounds) continue
    if (version < bounds[0] || version > bounds[1])
      throw refused(
        `it uses version ${version} of the operators ${domain || 'ai.onnx'}; ${bounds[0]} to ${bounds[1]} are known`,
        "Convert with target_opset={'': 17, 'ai.onnx.ml': 3}.",
      )
  }
}

/** Throws IMPORT_INVALID for anything but an operator on the list. */
export function checkOperator({ operator, domain }: OnnxNode): void {
  if (domain !== '' && domain !== ML_DOMAIN)
    throw refused(
      `it uses the operator ${shown(operator)} of ${shown(domain)}, which is not part of ONNX`,
      'Export with standard operators only.',
    )
  if (operator === 'ZipMap')
    throw refused(
      'its probabilities go through ZipMap, which makes them dictionaries',
      "Convert with options={id(model): {'zipmap': False}} (skl2onnx) or zipmap=False (onnxmltools).",
    )
  if (['If', 'Loop', 'Scan'].includes(operator)) throw refused(`it uses ${operator}`, 'Export without control flow.')
  if (!(domain === '' ? general : learned).has(operator))
    throw refused(
      `it uses the operator ${shown(operator)}, which is not on the list`,
      'docs/registry.md lists the operators; models of scikit-learn, LightGBM, XGBoost and plain PyTorch layers need no other.',
    )
}
