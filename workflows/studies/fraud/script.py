"""The fraud run as one plain Python file: boto3 alone, or the SageMaker SDK v3; nothing of mlconsole is imported."""

from __future__ import annotations

from string import Template

from workflows.builtin import images
from workflows.ledger import Ledger
from workflows.runs import Run
from workflows.studies import builtinscript, pieces, scripthead
from workflows.studies.fraud import data, free, variants
from workflows.studies.fraud.requirement import of
from workflows.studies.scripthead import Head, region_of

_CONSTANTS = Template("""\
DATA = $data
VARIANTS = $variants
TARGETS = $targets  # what the log must tell of a variant
METRICS = $metrics
MODELS = [NAME, *(f"{NAME}-{name}" for name in VARIANTS)]
SEED, SPLIT, DROP, VALID_ROWS = $seed, "$split", $drop, $valid_rows
POPULATION = $population  # valid transactions for which one valid row of the table stands
REQUIRED, SHARE = "$kind", $share  # $requirement
COST_MISS, COST_ALARM, MARGIN = $cost_miss, $cost_alarm, $margin
$settings""")

_DATA = Template('''
def places(features, seed):
    """A number in [0, 1) for each row from its content: copies of a row get the same."""
    salt = f"fraud:{seed}:".encode()
    values = np.ascontiguousarray(features + 0.0)
    found = [int.from_bytes(hashlib.sha256(salt + row.tobytes()).digest()[:8], "big") for row in values]
    return np.array(found, dtype=float) / 2.0**64


def make_data():
    """(features, labels, weights) of the training, validation and test rows; weights make them the population."""
    table = pd.read_csv(DATA)
    labels = table["Class"].to_numpy().astype(int)
    features = table.drop(columns="Class").to_numpy(dtype=float)
    copies = table.duplicated().to_numpy()
    population = (labels == 0).sum() * POPULATION
    keep = np.ones(len(labels), dtype=bool)
    valid = np.flatnonzero(labels == 0)
    if VALID_ROWS and len(valid) > VALID_ROWS:
        keep[valid[np.argsort(places(features[valid], SEED + 1_000_003), kind="stable")[VALID_ROWS:]]] = False
    if DROP:
        population *= 1 - copies[labels == 0].mean()
        keep &= ~copies
    features, labels = features[keep], labels[keep]
    weights = np.where(labels == 1, 1.0, population / (labels == 0).sum())
    if SPLIT == "random":
        place = np.random.default_rng(SEED).permutation(len(labels)) / len(labels)
    else:
        place = places(features, SEED)
    kept = np.where(place < $test_share, 2, np.where(place < $cut, 1, 0))
    features = features.astype(np.float32)
    return [(features[kept == part], labels[kept == part], weights[kept == part]) for part in range(3)]


def operating_points(labels, scores, weights):
    """Thresholds from high to low, with the weighted frauds and valid rows that are flagged at each."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    tp = np.cumsum((weights * labels)[order])[last]
    fp = np.cumsum((weights * (1 - labels))[order])[last]
    return np.append(np.inf, (ranked[last] + np.append(ranked[last][1:], ranked[last][-1])) / 2), np.append(0, tp), np.append(0, fp)


def threshold_for(labels, scores, weights):
    """The threshold that the requirement asks for, MARGIN standard errors on the safe side, and its merit."""
    thresholds, tp, fp = operating_points(labels, scores, weights)
    recall, precision = tp / tp[-1], tp / np.maximum(tp + fp, 1e-300)
    if REQUIRED == "cost":
        best = np.argmin((tp[-1] - tp) * COST_MISS + fp * COST_ALARM)
        return thresholds[best], -((tp[-1] - tp) * COST_MISS + fp * COST_ALARM)[best]
    rows = (labels == 0).sum() if REQUIRED == "flag" else labels.sum()
    error = MARGIN * math.sqrt(SHARE * (1 - SHARE) / rows)
    share = max(SHARE - error, SHARE / 2) if REQUIRED == "flag" else min(SHARE + error, 1.0)
    allowed = {
        "catch": recall >= share - 1e-12,
        "flag": fp / fp[-1] <= share + 1e-12,
        "precise": (tp + fp > 0) & (precision >= share - 1e-12),
    }[REQUIRED]
    merit = np.where(allowed, precision if REQUIRED == "catch" else recall, -1.0)
    best = np.argmax(merit)
    return thresholds[best], merit[best]


def confusion(labels, flags, weights):
    """Recall, precision and false-positive rate of the population."""
    tp, fp = weights[flags & (labels == 1)].sum(), weights[flags & (labels == 0)].sum()
    rates = {"recall": tp / weights[labels == 1].sum(), "precision": tp / max(tp + fp, 1e-300)}
    rates["false_positive_rate"] = fp / weights[labels == 0].sum()
    return {name: round(float(value), 5) for name, value in rates.items()}


def baselines(train, validation, test):
    """The same scores of two models that cost nothing."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from xgboost import XGBClassifier

    logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    logistic.fit(train[0].astype(float), train[1], logisticregression__sample_weight=train[2])
    trees = XGBClassifier(**$trees).fit(train[0], train[1])
    found = {}
    for name, model in (("logistic regression", logistic), ("XGBoost", trees)):
        threshold, _ = threshold_for(validation[1], model.predict_proba(validation[0])[:, 1], validation[2])
        found[name] = confusion(test[1], model.predict_proba(test[0])[:, 1] >= threshold, test[2])
    return found


def write_csv(path, features, labels=None):
    rows = features.astype(float).tolist() if labels is None else np.column_stack([labels, features.astype(float)]).tolist()
    path.write_text("\\n".join(",".join(map(repr, row)) for row in rows) + "\\n")
    return path

''')

_TAIL = '''
def parsed(text):
    found = [json.loads(line) for line in text.splitlines() if line.strip()]
    return np.array([one["score"] for one in found]), np.array([one["predicted_label"] == 1 for one in found])


def answers(output, uri):
    key = f"{output}/{uri.rpartition('/')[2]}.out"
    return parsed(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode())


def passes(variant, job):
    """What the log tells: the loss left ln 2, the target is met, frauds are caught."""
    losses = logged(job, METRICS["validation:objective_loss"])
    final = {name: logged(job, METRICS[f"validation:{name}"])[-1] for name in ("recall", "precision")}
    print(variant, final, flush=True)
    metric, target = TARGETS[variant]
    return min(losses) < math.log(2) - 0.02 and final["recall"] > 0 and (not metric or final[metric] >= target - 1e-6)


def main():
    train_rows, validation, test = make_data()
    free = baselines(train_rows, validation, test)
    for name, found in free.items():
        print("baseline", name, found, flush=True)
    make_bucket()
    done = False
    try:
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            times = np.diff(np.append(0, np.floor(np.cumsum(validation[2]) + 0.5).astype(int)))
            order = np.random.default_rng(0).permutation(len(train_rows[1]))
            again = np.repeat(np.arange(len(times)), times)
            channels = {
                "train": upload(write_csv(folder / "train.csv", train_rows[0][order], train_rows[1][order]), f"{PREFIX}/train"),
                "validation": upload(
                    write_csv(folder / "validation.csv", validation[0][again], validation[1][again]), f"{PREFIX}/validation"
                ),
            }
            asked = write_csv(folder / "held-out.csv", np.concatenate([validation[0], test[0]]))
            held_out = upload(asked, f"{PREFIX}/held-out")
        board = {}
        for variant, hyperparameters in VARIANTS.items():
            job, model_data = train(variant, hyperparameters, channels)
            scores, flags = transform(variant, model_data, held_out)
            first = len(validation[1])
            print(variant, "as trained", confusion(test[1], flags[first:], test[2]), flush=True)
            threshold, merit = threshold_for(validation[1], scores[:first], validation[2])
            print(variant, "at", threshold, confusion(test[1], scores[first:] >= threshold, test[2]), flush=True)
            if passes(variant, job):
                board[variant] = (merit, threshold, model_data, scores[first:])
        if not board:
            raise SystemExit("Not deployed: no variant passes what its log is read for.")
        chosen = max(board, key=lambda name: board[name][0])
        _, threshold, model_data, offline = board[chosen]
        deploy(model_data)
        shown = np.concatenate([np.flatnonzero(test[1] == 1)[:50], np.flatnonzero(test[1] == 0)[:50]])
        text = "\\n".join(",".join(map(repr, row)) for row in test[0][shown].astype(float).tolist())
        scores, _ = parsed(ask(text, ROW_TYPE, ANSWER_TYPE))
        print("largest difference to the batch scores:", float(np.abs(scores - offline[shown]).max()))
        found = confusion(test[1], offline >= threshold, test[2])
        print(f"chosen={chosen} threshold={threshold:.6g} recall={found['recall']:.4f} precision={found['precision']:.4f}", flush=True)
        done = True
    finally:
        if not (KEEP and done):
            clean_up()


if __name__ == "__main__":
    main()
'''


def write(run: Run) -> str:
    """The script of a run, with the values that the run used (or would use, if it never reached its data)."""
    prepared = Ledger(run.folder).outputs("prepare")
    source = prepared.get("source", {})
    needed = of(run.parameters)
    parameters = run.parameters
    # Where the data were never read, a valid row stands for itself.
    weight = float(prepared.get("weight", 1.0))
    jobs = variants.variants(parameters, needed, weight, 10**9)
    values = {
        "data": repr(source.get("paths", {}).get("table", "creditcard.csv")),
        "variants": {item.name: item.hyperparameters for item in jobs},
        "targets": {item.name: (item.metric, item.target) for item in jobs},
        "metrics": pieces.literal({metric.name: metric.regex for metric in variants.METRICS}),
        "seed": parameters["split-seed"],
        "split": parameters["split"],
        "drop": parameters["duplicates"] == "drop",
        "valid_rows": parameters["valid-rows"],
        "population": float(prepared.get("population_weight", 1.0)),
        "kind": needed.kind,
        "share": needed.share,
        "requirement": needed,
        "cost_miss": needed.cost_miss,
        "cost_alarm": needed.cost_alarm,
        "margin": parameters["margin"],
        "settings": builtinscript.settings(images.uri("linear-learner", region_of(run)), "text/csv"),
        "test_share": data.TEST_SHARE,
        "cut": data.CUT,
        "trees": free.TREES,
    }
    head = Head(
        title="The fraud detection case study",
        needs="numpy, pandas, scikit-learn and xgboost,\nthe table of transactions (DATA)",
        imports=("hashlib", "json", "math"),
        packages=("import numpy as np", "import pandas as pd"),
        sdk_imports=builtinscript.SDK_IMPORTS,
        constants=_CONSTANTS.substitute(values),
    )
    return (
        scripthead.write(run, head)
        + _DATA.substitute(values)
        + builtinscript.hosted(run.interface == "high")
        + _TAIL
    )
