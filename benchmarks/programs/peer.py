"""A peer's training as a process of its own: ``peer.py NAME FEATURES.npy [LABELS.npy]``; the last line is JSON with its quality."""

import json
import sys

import numpy as np


def pca(x, labels):
    from sklearn.decomposition import PCA

    model = PCA(n_components=10).fit(x)
    return {"first": float(model.singular_values_[0])}


def kmeans(x, labels):
    from sklearn.cluster import KMeans

    model = KMeans(n_clusters=8, n_init=1, random_state=0).fit(x)
    return {"msd": float(model.inertia_ / len(x))}


def minibatch(x, labels):
    from sklearn.cluster import MiniBatchKMeans

    model = MiniBatchKMeans(n_clusters=8, n_init=1, random_state=0, batch_size=5000).fit(x)
    return {"msd": float(model.inertia_ / len(x))}


def logistic(x, labels):
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaled = StandardScaler().fit_transform(x)
    model = LogisticRegression(max_iter=200).fit(scaled, labels)
    return {"accuracy": float(model.score(scaled, labels))}


def sgd(x, labels):
    from sklearn.linear_model import SGDClassifier
    from sklearn.preprocessing import StandardScaler

    scaled = StandardScaler().fit_transform(x)
    model = SGDClassifier(loss="log_loss", max_iter=15, tol=None, random_state=0).fit(scaled, labels)
    return {"accuracy": float(model.score(scaled, labels))}


def xgboost(x, labels):
    import xgboost as xgb

    model = xgb.train(
        {"objective": "binary:logistic", "max_depth": 6, "eta": 0.3},
        xgb.DMatrix(x, labels),
        num_boost_round=20,
    )
    return {"accuracy": float(((model.predict(xgb.DMatrix(x)) > 0.5) == labels).mean())}


features = np.load(sys.argv[2])
targets = np.load(sys.argv[3]) if len(sys.argv) > 3 else None
print(json.dumps(globals()[sys.argv[1]](features, targets)))
