"""Writes metrics.json: random vectors and what scikit-learn says about them. Run: /usr/bin/python3 tests/trainer/vectors/metrics.py && npx biome format --write tests/trainer/vectors"""
import json
import os
import numpy as np
import sklearn
from sklearn import metrics as m
from sklearn.isotonic import IsotonicRegression

rng = np.random.default_rng(3)


def binary(name, y, p, weights=None):
    counts = m.confusion_matrix(y, p >= 0.5).ravel()
    return {
        "name": name, "y": y.tolist(), "p": p.tolist(), "weights": None if weights is None else weights.tolist(),
        "auc": m.roc_auc_score(y, p, sample_weight=weights),
        "prAuc": m.average_precision_score(y, p, sample_weight=weights),
        "logLoss": m.log_loss(y, p, sample_weight=weights),
        "brier": m.brier_score_loss(y, p, sample_weight=weights),
        "accuracy": m.accuracy_score(y, p >= 0.5, sample_weight=weights),
        "precision": m.precision_score(y, p >= 0.5, sample_weight=weights),
        "recall": m.recall_score(y, p >= 0.5, sample_weight=weights),
        "f1": m.f1_score(y, p >= 0.5, sample_weight=weights),
        "confusion": counts.tolist(),
    }


def sample(n, digits=None):
    z = rng.normal(size=n)
    p = 1 / (1 + np.exp(-1.7 * z))
    y = (rng.random(n) < 1 / (1 + np.exp(-z - 0.3))).astype(int)
    return y, p if digits is None else np.round(p, digits)


cases = []
y, p = sample(200)
cases.append(binary("no ties", y, p))
y, p = sample(300, 1)
cases.append(binary("many ties", y, p))
y, p = sample(250, 2)
cases.append(binary("weights", y, p, rng.exponential(size=250)))
y, p = sample(40)
p[:5] = [0, 1, 1, 0, 0.5]
cases.append(binary("zeros and ones", y, p))
y = (rng.random(1200) < 0.02).astype(int)
p = np.clip(0.02 + 0.6 * y + 0.02 * rng.normal(size=1200), 1e-6, 1)
cases.append(binary("rare", y, p))

regression = []
for weights in (None, rng.exponential(size=150)):
    y = rng.normal(size=150) * 40 + 1000
    q = y + rng.normal(size=150) * 25
    regression.append({
        "y": y.tolist(), "p": q.tolist(), "weights": None if weights is None else weights.tolist(),
        "rmse": float(np.sqrt(m.mean_squared_error(y, q, sample_weight=weights))),
        "mae": m.mean_absolute_error(y, q, sample_weight=weights),
        "r2": m.r2_score(y, q, sample_weight=weights),
    })

logits = rng.normal(size=(240, 4))
P = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
y = np.array([rng.choice(4, p=row) for row in P])
multiclass = {
    "y": y.tolist(), "p": P.ravel().tolist(), "classes": 4,
    "logLoss": m.log_loss(y, P), "auc": m.roc_auc_score(y, P, multi_class="ovr"),
    "accuracy": m.accuracy_score(y, P.argmax(1)), "f1": m.f1_score(y, P.argmax(1), average="macro"),
    "brier": float(((P - np.eye(4)[y]) ** 2).sum(1).mean()),
}

margins = np.round(rng.normal(size=120), 1)
y = (rng.random(120) < 1 / (1 + np.exp(-margins))).astype(int)
at = np.linspace(-3, 3, 41)
isotonic = {
    "margins": margins.tolist(), "y": y.tolist(), "at": at.tolist(),
    "probabilities": IsotonicRegression(out_of_bounds="clip").fit(margins, y).predict(at).tolist(),
}

out = {"sklearn": sklearn.__version__, "binary": cases, "regression": regression, "multiclass": multiclass, "isotonic": isotonic}
with open(os.path.join(os.path.dirname(__file__), "metrics.json"), "w") as f:
    json.dump(out, f, separators=(",", ":"))
    f.write("\n")
