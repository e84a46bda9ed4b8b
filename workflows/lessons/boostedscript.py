"""The printed script of a lesson that trains XGBoost: its rows and what is around them, in either interface."""

from __future__ import annotations

import inspect
from string import Template
from typing import Any

from algorithms.reviews import words
from workflows.builtin import images
from workflows.ledger import Ledger
from workflows.lessons import boosted, learners, recurrent, recurrentscript, subject
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

_READ = Template("""
def read_reviews(path):
    \"\"\"Texts and verdicts (1: positive) of the training, validation and test reviews; test copies of training reviews are left out.\"\"\"
    table = pd.read_csv(path)
    keys = list(table["review"])
    training = {key for key, split in zip(keys, table["split"]) if split == "train"}
    chosen = {"train": [], "validation": [], "test": []}
    for number, (key, split) in enumerate(zip(keys, table["split"])):
        if split == "test":
            if key not in training:
                chosen["test"].append(number)
        else:
            chosen["validation" if place(key, SEED) < $held_out else "train"].append(number)
    labels = (table["label"] == "pos").to_numpy().astype(int)
    return {part: ([keys[n] for n in numbers], labels[numbers]) for part, numbers in thinned(keys, chosen).items()}

""")

_COUNT = Template("""
$words


def vocabulary(texts):
    \"\"\"The commonest words.\"\"\"
    return sorted(commonest(texts, VOCABULARY))


def write_reviews(path, rows, known, labelled=True):
    \"\"\"LIBSVM text: counts of the vocabulary's words.\"\"\"
    index = {word: number for number, word in enumerate(known)}
    lines = []
    for text, label in zip(rows[0], rows[1].tolist()):
        found = Counter(index[word] for word in review_to_words(text) if word in index)
        if not lines:
            found.setdefault(len(known) - 1, 0)  # XGBoost counts columns by the highest one that it sees
        cells = " ".join(f"{column}:{count}" for column, count in sorted(found.items()))
        lines.append(f"{label if labelled else 0} {cells}".rstrip())
    path.write_text("\\n".join(lines) + "\\n")
    return path

""")

_COUNTS = '''
def make_data(folder):
    """Reviews as counts of the commonest words of the training reviews, vocabulary.json beside them; and the verdicts."""
    sets = read_reviews(DATA)
    known = vocabulary(sets["train"][0])
    document = {"format": 1, "version": hashlib.sha256("\\n".join(known).encode()).hexdigest()[:16], "words": known}
    (folder / "vocabulary.json").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    paths = {part: write_reviews(folder / f"{part}.libsvm", rows, known, part != "test") for part, rows in sets.items()}
    return paths, {part: labels for part, (_, labels) in sets.items()}

'''

_LINES = '''
def make_lines(folder):
    """Whole reviews as JSON Lines, those of the test without their verdicts; and the verdicts."""
    sets, paths = read_reviews(DATA), {}
    for part, (texts, labels) in sets.items():
        rows = [{"label": label, "review": text} for label, text in zip(labels.tolist(), texts)]
        if part == "test":
            rows = [{"review": row["review"]} for row in rows]
        paths[part] = folder / f"{part}.jsonl"
        paths[part].write_text("\\n".join(map(json.dumps, rows)) + "\\n")
    return paths, {part: labels for part, (_, labels) in sets.items()}

'''

_VERDICTS = """
def score(truth, answers):
    return "accuracy", float(np.mean((answers >= 0.5) == (truth == 1)))

"""

ANSWERS = """
def answers(output, uri):
    key = f"{output}/{uri.rpartition('/')[2]}.out"
    text = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
    return np.array([float(line) for line in text.splitlines() if line.strip()])

"""


def reviews(held_out: float) -> str:
    """Functions that read reviews, with the share ``held_out`` of the training reviews for validation, count words and write LIBSVM."""
    words_of = inspect.getsource(words).partition("import Iterable\n")[2].strip("\n")
    return _READ.substitute(held_out=held_out) + _COUNT.substitute(words=words_of)


def write(
    run: Run,
    title: str,
    number: int,
    constants: str,
    main: str,
    steps: str = "",
    sdk_imports: str = "",
    *,
    subject_name: str = "",
    learned: str = "",
    imports: tuple[str, ...] = (),
    **batch: Any,
) -> str:
    """The script of a lesson's run.

    Args:
        constants: Text of assignments, MODELS among them.
        main: The script's end; ``steps`` are further functions before it, ``sdk_imports`` what they need of the SDK.
        subject_name: Whose rows ``make_data`` makes; empty: the parameter's. Rows for an LSTM are made by ``make_lines``.
        learned: The subject whose hyperparameters are HYPERPARAMETERS; empty: the same one.
        imports: Further modules of the standard library.
        batch: Settings of batch transform as `builtinscript.settings` takes them.
    """
    parameters = run.parameters
    name = subject_name or str(parameters["subject"])
    prepared = Ledger(run.folder).outputs("prepare")
    source = prepared.get("houses", prepared).get("source", {})
    about_texts = name == "reviews"
    models = learners.names(parameters)
    boosting, recurring = (one in models for one in (learners.XGBOOST, learners.LSTM))
    region = scripthead.region_of(run)
    if boosting:
        kind = boosted.LIBSVM if about_texts else boosted.CSV
        settings = builtinscript.settings(images.uri("xgboost", region), kind, answers=boosted.CSV, **batch)
        hyperparameters = boosted.settings(parameters, subject.KINDS[learned or name])
    else:
        settings, hyperparameters = recurrentscript.hosted(region, **batch), recurrent.settings(parameters)
    if recurring:
        settings += recurrentscript.settings(parameters, region)
    head = scripthead.Head(
        title=f"Lesson {number}, {title},",
        needs="numpy and pandas,\nthe table (DATA)",
        imports=(
            "hashlib",
            "html",
            "json",
            "math",
            "from collections import Counter",
            "from collections.abc import Iterable",
            *recurrentscript.imports(run),
            *imports,
        ),
        packages=("import numpy as np", "import pandas as pd"),
        sdk_imports=builtinscript.SDK_IMPORTS + sdk_imports,
        constants=f"""\
DATA = {source.get("paths", {}).get("table", f"{name}.csv")!r}
HYPERPARAMETERS = {pieces.literal(hyperparameters)}
LABEL, ROWS = "{"label" if about_texts else "Price"}", {parameters["rows"]}
SEED, VOCABULARY = {parameters["split-seed"]}, {parameters["vocabulary"]}
{settings}{constants}""",
    )
    if about_texts:
        rows = (
            reviews(subject.REVIEWS_VALIDATION) + _COUNTS
            if boosting
            else _READ.substitute(held_out=subject.REVIEWS_VALIDATION)
        )
        rows += (_LINES if recurring else "") + _VERDICTS
    else:
        rows = f"\nTRAIN, VALIDATION = {subject.SHARES['train']}, {subject.SHARES['validation']}  # shares of the rows\n\n{HOUSES}"
    return "".join(
        (
            scripthead.write(run, head),
            _ROWS,
            rows,
            pieces.STORAGE,
            builtinscript.steps(run.interface == "high"),
            recurrentscript.steps(run),
            steps,
            ANSWERS,
            pieces.AFTERWARDS,
            main,
            recurrentscript.sources(run),
            '\n\nif __name__ == "__main__":\n    main()\n',
        )
    )
