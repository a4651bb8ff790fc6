"""scikit-learn's side of the table: logistic (or ridge) regression and HistGradientBoosting with defaults on given folds.

Reads one task as JSON from stdin: {file, label, positive, drop, category, folds, column}; prints one JSON object.
"""
import json
import sys
import time
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, mean_squared_error, r2_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

task = json.load(sys.stdin)
data = pd.read_csv(task["file"], na_values=[" ", "?"])
folds = pd.read_csv(task["folds"])[task["column"]].to_numpy()
positive = task.get("positive")
y = data[task["label"]]
y = (y.astype(str) == str(positive)).astype(int).to_numpy() if positive is not None else y.to_numpy(float)
X = data.drop(columns=[task["label"], *task["drop"]])
for name in task.get("category", []):
    X[name] = X[name].astype(str)
texts = X.columns[X.dtypes == object].tolist()
numbers = [name for name in X.columns if name not in texts]
is_regression = positive is None

linear = make_pipeline(
    make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        (make_pipeline(SimpleImputer(strategy="constant", fill_value="missing"), OneHotEncoder(handle_unknown="ignore", min_frequency=10)), texts),
    ),
    Ridge() if is_regression else LogisticRegression(max_iter=2000),
)
ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan)
boosted = make_pipeline(
    make_column_transformer((ordinal, texts), remainder="passthrough"),
    HistGradientBoostingRegressor() if is_regression else HistGradientBoostingClassifier(),
)

out = {}
for name, model in (("linear", linear), ("boosted", boosted)):
    scores = []
    start = time.time()
    for fold in np.unique(folds):
        train, test = folds != fold, folds == fold
        model.fit(X[train], y[train])
        if is_regression:
            p = model.predict(X[test])
            scores.append((mean_squared_error(y[test], p) ** 0.5, r2_score(y[test], p)))
        else:
            p = model.predict_proba(X[test])[:, 1]
            scores.append((roc_auc_score(y[test], p), log_loss(y[test], p)))
    first, second = np.mean(scores, axis=0)
    keys = ("rmse", "r2") if is_regression else ("auc", "logLoss")
    out[name] = {keys[0]: first, keys[1]: second, "seconds": time.time() - start}
print(json.dumps(out))
