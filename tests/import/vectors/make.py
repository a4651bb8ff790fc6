"""Models trained elsewhere, for tests/import: scikit-learn and LightGBM fit toys, the graphs are written as skl2onnx,
onnxmltools and torch.onnx write them (their packages are not needed), and golden rows come from the libraries themselves.

    pip install scikit-learn lightgbm onnx && python tests/import/vectors/make.py
"""

import json
import math
import pathlib

import lightgbm
import numpy as np
from onnx import TensorProto, helper, numpy_helper
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

here = pathlib.Path(__file__).parent
COLOURS = ["red", "green", "blue"]


def toys(n):
    """As tests/ml/toy-model.ts fills them."""
    rows = []
    for i in range(1, n + 1):
        x = math.sin(i * 12.9898) * 2
        drawn = math.sin(i * 78.233) * 43758.5453
        colour = COLOURS[i % 3]
        y = int(x + (1.5 if colour == "red" else 0) + 2 * (drawn - math.floor(drawn) - 0.5) > 1.2)
        rows.append((x if i % 7 else None, colour if i % 10 else None, y))
    return rows


rows = toys(400)
y = np.array([label for _, _, label in rows])


def encode(x, colour, missing):
    return [missing if x is None else x, float(colour == "red"), float(colour == "green")]


filled = np.array([encode(x, colour, 0.0) for x, colour, _ in rows], dtype=np.float32)
open_ = np.array([encode(x, colour, float("nan")) for x, colour, _ in rows], dtype=np.float32)
ordinal = np.array(
    [[float("nan") if x is None else x, float("nan") if c is None else COLOURS.index(c)] for x, c, _ in rows],
    dtype=np.float32,
)
golden_rows = [0, 1, 2, 3, 6, 9, 12, 27, 41, 69, 139, 200]


def golden(probabilities):
    return [
        {"features": {"x": rows[i][0], "colour": rows[i][1]}, "probability": float(probabilities[i])} for i in golden_rows
    ]


def value(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def save(name, nodes, inputs, outputs, initializers, producer, plan, opset=15, ml=3, ir=8):
    graph = helper.make_graph(nodes, name, inputs, outputs, initializers)
    opsets = [helper.make_opsetid("ai.onnx.ml", ml), helper.make_opsetid("", opset)]
    model = helper.make_model(graph, producer_name=producer, opset_imports=opsets, ir_version=ir)
    (here / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))
    (here / f"{name}.json").write_text(json.dumps(plan, indent=1) + "\n")


ONE_HOT = [
    {"feature": "x", "missing": 0},
    {"feature": "colour", "level": "red"},
    {"feature": "colour", "level": "green"},
]
TWO = [value("label", TensorProto.INT64, ["N"]), value("probabilities", TensorProto.FLOAT, ["N", 2])]


def linear_nodes(scaler, model, last):
    w, b = model.coef_[0], float(model.intercept_[0])
    return [
        helper.make_node(
            "Scaler", ["float_input"], ["scaled"], domain="ai.onnx.ml",
            offset=[float(v) for v in scaler.mean_], scale=[float(1 / v) for v in scaler.scale_],
        ),
        helper.make_node(
            "LinearClassifier", ["scaled"], ["label", "raw"], domain="ai.onnx.ml",
            coefficients=[float(-v) for v in w] + [float(v) for v in w], intercepts=[-b, b],
            classlabels_ints=[0, 1], multi_class=1, post_transform="LOGISTIC",
        ),
        helper.make_node("Normalizer", ["raw"], [last], domain="ai.onnx.ml", norm="L1"),
    ]


scaler = StandardScaler().fit(filled)
logistic = LogisticRegression().fit(scaler.transform(filled), y)
p = logistic.predict_proba(scaler.transform(filled))[:, 1]
save(
    "scikit-logistic", linear_nodes(scaler, logistic, "probabilities"),
    [value("float_input", TensorProto.FLOAT, [None, 3])], TWO, [], "skl2onnx",
    {"inputs": ONE_HOT, "output": "probabilities", "golden": golden(p)},
)
zipped = helper.make_node(
    "ZipMap", ["probabilities"], ["output_probability"], domain="ai.onnx.ml", classlabels_int64s=[0, 1]
)
mapped = helper.make_value_info(
    "output_probability",
    helper.make_sequence_type_proto(
        helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, None))
    ),
)
save(
    "zipmap", [*linear_nodes(scaler, logistic, "probabilities"), zipped],
    [value("float_input", TensorProto.FLOAT, [None, 3])], [TWO[0], mapped], [], "skl2onnx",
    {"inputs": ONE_HOT, "golden": golden(p)},
)


class Trees:
    """The attributes of TreeEnsembleClassifier, filled tree by tree."""

    def __init__(self):
        self.nodes = {k: [] for k in "treeids nodeids featureids values modes truenodeids falsenodeids".split()}
        self.nodes["missing_value_tracks_true"] = []
        self.nodes["hitrates"] = []
        self.leaves = {k: [] for k in "treeids nodeids ids weights".split()}

    def node(self, tree, node, feature, threshold, mode, yes, no, missing_yes=0):
        row = [tree, node, feature, threshold, mode, yes, no, missing_yes, 1.0]
        for name, cell in zip(self.nodes, row):
            self.nodes[name].append(cell)

    def leaf(self, tree, node, output, weight):
        for name, cell in zip(self.leaves, [tree, node, output, weight]):
            self.leaves[name].append(cell)

    def make(self, input_, **more):
        attributes = {f"nodes_{name}": cells for name, cells in self.nodes.items()}
        attributes |= {f"class_{name}": cells for name, cells in self.leaves.items()}
        return helper.make_node(
            "TreeEnsembleClassifier", [input_], ["label", "probabilities"], domain="ai.onnx.ml",
            classlabels_int64s=[0, 1], **attributes, **more,
        )


def add_scikit_tree(trees, number, tree, weights_of):
    for n in range(tree.node_count):
        if tree.children_left[n] < 0:
            trees.node(number, n, 0, 0.0, "LEAF", 0, 0)
            for output, weight in weights_of(n):
                trees.leaf(number, n, output, weight)
        else:
            # scikit-learn compares float32 cells with a double threshold: the next float32 below decides the same
            threshold = np.float32(tree.threshold[n])
            if threshold > tree.threshold[n]:
                threshold = np.nextafter(threshold, np.float32(-np.inf))
            trees.node(
                number, n, int(tree.feature[n]), float(threshold), "BRANCH_LEQ",
                int(tree.children_left[n]), int(tree.children_right[n]),
            )


boosted = GradientBoostingClassifier(n_estimators=12, max_depth=3, random_state=0).fit(filled, y)
trees = Trees()
for t, (estimator,) in enumerate(boosted.estimators_):
    tree = estimator.tree_
    add_scikit_tree(trees, t, tree, lambda n: [(0, float(boosted.learning_rate * tree.value[n, 0, 0]))])
prior = boosted.init_.class_prior_[1]
save(
    "scikit-boosted", [trees.make("X", base_values=[math.log(prior / (1 - prior))], post_transform="LOGISTIC")],
    [value("X", TensorProto.FLOAT, [None, 3])], TWO, [], "skl2onnx",
    {"inputs": {"X": ONE_HOT}, "output": "probabilities", "golden": golden(boosted.predict_proba(filled)[:, 1])},
)

forest = RandomForestClassifier(n_estimators=8, max_depth=4, random_state=0).fit(filled, y)
trees = Trees()
for t, estimator in enumerate(forest.estimators_):
    tree = estimator.tree_
    share = lambda n: tree.value[n, 0] / tree.value[n, 0].sum() / len(forest.estimators_)
    add_scikit_tree(trees, t, tree, lambda n: [(k, float(share(n)[k])) for k in (0, 1)])
save(
    "scikit-forest", [trees.make("X", post_transform="NONE")],
    [value("X", TensorProto.FLOAT, ["N", 3])], TWO, [], "skl2onnx",
    {"inputs": ONE_HOT, "output": "probabilities", "golden": golden(forest.predict_proba(filled)[:, 1])},
)

light = lightgbm.LGBMClassifier(n_estimators=15, num_leaves=7, min_child_samples=10, verbose=-1, random_state=0)
light.fit(ordinal, y)
dump = light.booster_.dump_model()
trees = Trees()


def add_light_tree(number, root):
    count = 0

    def walk(node):
        nonlocal count
        own = count
        count += 1
        if "leaf_value" in node:
            trees.node(number, own, 0, 0.0, "LEAF", 0, 0)
            trees.leaf(number, own, 0, float(node["leaf_value"]))
            return own
        assert node["decision_type"] == "<=" and node["missing_type"] in ("NaN", "None")
        slot = len(trees.nodes["nodeids"])
        trees.node(
            number, own, node["split_feature"], float(np.float32(node["threshold"])), "BRANCH_LEQ", 0, 0,
            int(node["missing_type"] == "NaN" and node["default_left"]),
        )
        trees.nodes["truenodeids"][slot] = walk(node["left_child"])
        trees.nodes["falsenodeids"][slot] = walk(node["right_child"])
        return own

    walk(root)


for t, tree in enumerate(dump["tree_info"]):
    add_light_tree(t, tree["tree_structure"])
save(
    "lightgbm", [trees.make("input", post_transform="LOGISTIC")],
    [value("input", TensorProto.FLOAT, [None, 2])], TWO, [], "OnnxMLTools",
    {
        "inputs": ["x", {"feature": "colour", "levels": COLOURS}],
        "output": "probabilities",
        "golden": golden(light.predict_proba(ordinal)[:, 1]),
    },
    opset=12, ml=1,
)

network = MLPClassifier((6,), max_iter=600, random_state=0).fit(scaler.transform(filled).astype(np.float32), y)
first, second = network.coefs_
shift, spread = scaler.mean_, scaler.scale_
folded = (first / spread[:, None]).T.astype(np.float32)
bias = (network.intercepts_[0] - (shift / spread) @ first).astype(np.float32)
save(
    "network",
    [
        helper.make_node("Gemm", ["rows", "fc1.weight", "fc1.bias"], ["hidden"], transB=1),
        helper.make_node("Relu", ["hidden"], ["active"]),
        helper.make_node("Gemm", ["active", "fc2.weight", "fc2.bias"], ["logits"], transB=1),
    ],
    [value("rows", TensorProto.FLOAT, ["batch", 3])], [value("logits", TensorProto.FLOAT, ["batch", 1])],
    [
        numpy_helper.from_array(folded, "fc1.weight"), numpy_helper.from_array(bias, "fc1.bias"),
        numpy_helper.from_array(second.T.astype(np.float32), "fc2.weight"),
        numpy_helper.from_array(network.intercepts_[1].astype(np.float32), "fc2.bias"),
    ],
    "pytorch",
    {
        "inputs": ONE_HOT, "scale": "log-odds",
        "golden": golden(network.predict_proba(scaler.transform(filled).astype(np.float32))[:, 1]),
    },
    opset=17,
)

# Doubles in, one input for each column as skl2onnx writes a table's columns, a text category, and an old-style float64 answer.
w, b = logistic.coef_[0] / scaler.scale_, float(logistic.intercept_[0] - (scaler.mean_ / scaler.scale_) @ logistic.coef_[0])
save(
    "columns",
    [
        helper.make_node("OneHotEncoder", ["colour"], ["flags"], domain="ai.onnx.ml", cats_strings=COLOURS, zeros=1),
        helper.make_node("Reshape", ["flags", "flat"], ["flags2"]),
        helper.make_node("Cast", ["flags2"], ["flags64"], to=TensorProto.DOUBLE),
        helper.make_node("Concat", ["length", "flags64"], ["all"], axis=1),
        helper.make_node("MatMul", ["all", "w"], ["product"]),
        helper.make_node("Add", ["product", "b"], ["margin"]),
        helper.make_node("Sigmoid", ["margin"], ["p"]),
    ],
    [value("length", TensorProto.DOUBLE, [None, 1]), value("colour", TensorProto.STRING, [None, 1])],
    [value("p", TensorProto.DOUBLE, [None, 1])],
    [
        numpy_helper.from_array(np.array([[w[0]], [w[1]], [w[2]], [0.0]]), "w"),
        numpy_helper.from_array(np.array([b]), "b"),
        numpy_helper.from_array(np.array([-1, 3], dtype=np.int64), "flat"),
    ],
    "skl2onnx",
    {
        "inputs": {
            "length": [{"feature": "x", "missing": 0}],
            "colour": [{"feature": "colour", "levels": COLOURS, "missing": "none"}],
        },
        "golden": golden(p),
    },
)
