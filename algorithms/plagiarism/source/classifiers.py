"""The classifiers by name, made of hyperparameters (needs scikit-learn 0.24 or later only)."""

from __future__ import annotations

from typing import Any

import numpy as np

NAMES = (
    "logistic-regression",
    "svm",
    "random-forest",
    "extra-trees",
    "gradient-boosting",
    "k-neighbors",
    "gaussian-nb",
)

DEFAULTS: dict[str, Any] = {
    "c": 100.0,
    "solver": "lbfgs",
    "kernel": "rbf",
    "gamma": "scale",
    "n_estimators": 100,
    "max_depth": 0,
    "min_samples_leaf": 1,
    "learning_rate": 0.1,
    "n_neighbors": 5,
    "class_weight": "none",
    "seed": 1,
}


def make(name: str = NAMES[0], **given: Any) -> Any:
    """An estimator that is not fitted; ``given`` are hyperparameters as in `DEFAULTS`, of which each takes its own.

    Raises:
        ValueError: There is no such classifier or hyperparameter.
    """
    unknown = sorted(set(given) - set(DEFAULTS))
    if unknown:
        raise ValueError(f"there is no hyperparameter {', '.join(unknown)}; there are {', '.join(DEFAULTS)}")
    options = {**DEFAULTS, **given}
    weight = None if options["class_weight"] in ("none", None) else options["class_weight"]
    trees = {
        "n_estimators": options["n_estimators"],
        "max_depth": options["max_depth"] or None,
        "min_samples_leaf": options["min_samples_leaf"],
        "random_state": options["seed"],
    }
    if name == "logistic-regression":
        from sklearn.linear_model import LogisticRegression

        # liblinear, scikit-learn's default up to 0.21, regularises the intercept too: other answers on few rows.
        return LogisticRegression(
            C=options["c"],
            solver=options["solver"],
            class_weight=weight,
            max_iter=10_000,
            random_state=options["seed"],
        )
    if name == "svm":
        from sklearn.calibration import CalibratedClassifierCV
        from sklearn.svm import SVC

        machine = SVC(C=options["c"], kernel=options["kernel"], gamma=options["gamma"], class_weight=weight)
        # A margin is no probability: a logistic function is fitted to it (Platt 1999). By position, for the first
        # argument has had two names.
        return CalibratedClassifierCV(machine, method="sigmoid", ensemble=False)
    if name == "random-forest":
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(class_weight=weight, **trees)
    if name == "extra-trees":
        from sklearn.ensemble import ExtraTreesClassifier

        return ExtraTreesClassifier(class_weight=weight, **trees)
    if name == "gradient-boosting":
        from sklearn.ensemble import GradientBoostingClassifier

        depth = options["max_depth"] or 3
        return GradientBoostingClassifier(
            learning_rate=options["learning_rate"], **{**trees, "max_depth": depth}
        )
    if name == "k-neighbors":
        from sklearn.neighbors import KNeighborsClassifier

        return KNeighborsClassifier(n_neighbors=options["n_neighbors"])
    if name == "gaussian-nb":
        from sklearn.naive_bayes import GaussianNB

        return GaussianNB()
    raise ValueError(f"there is no classifier {name!r}; there are {', '.join(NAMES)}")


def fitted(name: str, x: np.ndarray, y: np.ndarray, **given: Any) -> Any:
    """`make`, fitted to features (n, k) and classes (n,).

    Raises:
        ValueError: As `make`, or too few rows for the classifier.
    """
    fewest = int(min((y == label).sum() for label in (0, 1)))
    if name == "svm" and fewest < 5:
        raise ValueError(
            f"svm needs 5 rows of each class to fit probabilities; the smaller class has {fewest}"
        )
    neighbors = given.get("n_neighbors", DEFAULTS["n_neighbors"])
    if name == "k-neighbors" and len(y) < neighbors:
        raise ValueError(f"k-neighbors needs {neighbors} rows; there are {len(y)}")
    return make(name, **given).fit(x, y)


def probability(model: Any, x: np.ndarray) -> np.ndarray:
    """The probability of class 1, shape (n,)."""
    column = list(model.classes_).index(1)
    found: np.ndarray = model.predict_proba(x)[:, column]
    return found


def out_of_sample(
    name: str, x: np.ndarray, y: np.ndarray, folds: int = 0, seed: int = 1, **given: Any
) -> np.ndarray:
    """Probabilities of class 1, shape (n,), each from a model that has not seen its row: leave-one-out, or stratified folds.

    Raises:
        ValueError: As `fitted`, or more folds than the smaller class has rows.
    """
    from sklearn.model_selection import LeaveOneOut, StratifiedKFold
    from threadpoolctl import threadpool_limits  # scikit-learn itself needs it

    fewest = int(min((y == label).sum() for label in (0, 1)))
    if fewest < max(2, folds):
        raise ValueError(
            f"{fewest} rows of the smaller class are too few for {f'{folds} folds' if folds else 'leave-one-out'}"
        )
    parts = StratifiedKFold(folds, shuffle=True, random_state=seed) if folds else LeaveOneOut()
    found = np.zeros(len(y))
    with threadpool_limits(1):  # in many tiny fits threads only wait for each other
        for training, held in parts.split(x, y):
            found[held] = probability(fitted(name, x[training], y[training], seed=seed, **given), x[held])
    return found
