"""The printed script of a lesson that trains XGBoost: its rows and what is around them, in either interface."""

from __future__ import annotations

import inspect
from typing import Any

from algorithms.reviews import words
from workflows.builtin import images
from workflows.ledger import Ledger
from workflows.lessons import boosted, subject
from workflows.runs import Run
from workflows.studies import builtinscript, pieces, scripthead

_ROWS = '''
def place(key, seed):
    """A number in [0, 1) from a row's content: copies of a row get the same, whatever the order of the file."""
    return int.from_bytes(hashlib.sha256(f"lesson:{seed}:{key}".encode()).digest()[:8], "big") / 2.0**64


def thinned(keys, chosen):
    """At most about ROWS rows, chosen by their content."""
    share = min(1.0, ROWS / sum(map(len, chosen.values()))) if ROWS else 1.0
    kept = {part: [n for n in found if place(keys[n], SEED + 1_000_003) < share] for part, found in chosen.items()}
    return {part: sorted(found, key=lambda n: place(keys[n], SEED)) for part, found in kept.items()}

'''

HOUSES = '''
def make_data(folder):
    """train.csv and validation.csv with the price first, test.csv without it; and the prices of the test rows."""
    table = pd.read_csv(DATA)
    keys = [",".join(repr(float(value)) for value in row) for row in table.to_numpy(dtype=float)]
    chosen = {"train": [], "validation": [], "test": []}
    for number, key in enumerate(keys):
        at = place(key, SEED)
        chosen["train" if at < TRAIN else "validation" if at < TRAIN + VALIDATION else "test"].append(number)
    paths, truth = {}, {}
    for part, numbers in thinned(keys, chosen).items():
        rows = table.iloc[numbers]
        truth[part] = rows[LABEL].to_numpy(dtype=float)
        lines = [",".join(repr(float(value)) for value in row) for row in rows.drop(columns=LABEL).to_numpy(dtype=float)]
        if part != "test":
            lines = [f"{label!r},{line}" for label, line in zip(truth[part].tolist(), lines)]
        paths[part] = folder / f"{part}.csv"
        paths[part].write_text("\\n".join(lines) + "\\n")
    return paths, truth


def score(truth, answers):
    return "RMSE", float(np.sqrt(np.mean((truth - answers) ** 2)))

'''

REVIEWS = '''
def make_data(folder):
    """Reviews as counts of the commonest words of the training reviews, in LIBSVM text; and the verdicts."""
    table = pd.read_csv(DATA)
    keys = list(table["review"])
    training = {key for key, split in zip(keys, table["split"]) if split == "train"}
    chosen = {"train": [], "validation": [], "test": []}
    for number, (key, split) in enumerate(zip(keys, table["split"])):
        if split == "test":
            if key not in training:
                chosen["test"].append(number)
        else:
            chosen["validation" if place(key, SEED) < 0.4 else "train"].append(number)
    chosen = thinned(keys, chosen)
    counts = Counter(word for number in chosen["train"] for word in review_to_words(keys[number]))
    words = sorted(sorted(counts, key=lambda word: (-counts[word], word))[:VOCABULARY])
    index = {word: number for number, word in enumerate(words)}
    paths, truth = {}, {}
    for part, numbers in chosen.items():
        truth[part] = (table["label"].iloc[numbers] == "pos").to_numpy().astype(int)
        lines = []
        for number, label in zip(numbers, truth[part].tolist()):
            found = Counter(index[word] for word in review_to_words(keys[number]) if word in index)
            if not lines:
                found.setdefault(len(words) - 1, 0)  # XGBoost counts columns by the highest one that it sees
            cells = " ".join(f"{column}:{count}" for column, count in sorted(found.items()))
            lines.append(f"{0 if part == 'test' else label} {cells}".rstrip())
        paths[part] = folder / f"{part}.libsvm"
        paths[part].write_text("\\n".join(lines) + "\\n")
    return paths, truth


def score(truth, answers):
    return "accuracy", float(np.mean((answers >= 0.5) == (truth == 1)))

'''

ANSWERS = """
def answers(output, uri):
    key = f"{output}/{uri.rpartition('/')[2]}.out"
    text = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
    return np.array([float(line) for line in text.splitlines() if line.strip()])

"""


def write(
    run: Run,
    title: str,
    number: int,
    constants: str,
    main: str,
    steps: str = "",
    sdk_imports: str = "",
    **batch: Any,
) -> str:
    """The script of a lesson's run.

    ``constants`` is text of assignments, MODELS among them, ``main`` the script's end, ``steps`` further functions, ``sdk_imports`` what
    they need of the SDK, ``batch`` the limits of batch transform as `builtinscript.settings` takes them.
    """
    parameters = run.parameters
    name = str(parameters["subject"])
    kind = subject.KINDS[name]
    source = Ledger(run.folder).outputs("prepare").get("source", {})
    reviews = name == "reviews"
    settings = builtinscript.settings(
        images.uri("xgboost", scripthead.region_of(run)),
        "text/libsvm" if reviews else "text/csv",
        answers="text/csv",
        **batch,
    )
    head = scripthead.Head(
        title=f"Lesson {number}, {title},",
        needs="numpy and pandas,\nthe table (DATA)",
        imports=("hashlib", "html", "json", "math", "from collections import Counter"),
        packages=("import numpy as np", "import pandas as pd"),
        sdk_imports=builtinscript.SDK_IMPORTS + sdk_imports,
        constants=f"""\
DATA = {source.get("paths", {}).get("table", f"{name}.csv")!r}
HYPERPARAMETERS = {pieces.literal(boosted.settings(parameters, kind))}
LABEL, ROWS = "{"label" if reviews else "Price"}", {parameters["rows"]}
SEED, VOCABULARY = {parameters["split-seed"]}, {parameters["vocabulary"]}
{settings}{constants}""",
    )
    if reviews:
        words_of = inspect.getsource(words).partition("import re\n")[2].strip("\n")
        rows = f"\n{words_of}\n\n{REVIEWS}"
    else:
        rows = f"\nTRAIN, VALIDATION = {subject.SHARES['train']}, {subject.SHARES['validation']}  # shares of the rows\n\n{HOUSES}"
    return "".join(
        (
            scripthead.write(run, head),
            _ROWS,
            rows,
            pieces.STORAGE,
            builtinscript.steps(run.interface == "high"),
            steps,
            ANSWERS,
            pieces.AFTERWARDS,
            main,
        )
    )
