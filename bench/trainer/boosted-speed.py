"""HistGradientBoosting on the rows that boosted-speed.ts wrote: CPU seconds of each fit, as JSON."""
import json
import sys
import time

import numpy
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

folder, rows, columns, rounds, leaves, repeats = sys.argv[1], *map(int, sys.argv[2:7])
x = numpy.fromfile(f"{folder}/x.f32", dtype=numpy.float32).reshape(rows, columns)
y = numpy.fromfile(f"{folder}/y.f32", dtype=numpy.float32)
seconds = []
for _ in range(repeats):
    model = HistGradientBoostingClassifier(max_iter=rounds, max_leaf_nodes=leaves, early_stopping=False)
    started = time.process_time()
    model.fit(x, y)
    seconds.append(time.process_time() - started)
print(json.dumps({"seconds": seconds, "auc": roc_auc_score(y, model.predict_proba(x)[:, 1])}))
