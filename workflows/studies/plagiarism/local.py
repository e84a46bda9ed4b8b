"""The steps that need no SageMaker: pinning corpus, features and split, auditing them, and the baselines."""

from __future__ import annotations

from typing import Any

from algorithms.plagiarism import features
from algorithms.plagiarism.categories import Category
from workflows import detached
from workflows.data import place
from workflows.data.place import Located
from workflows.failures import WorkflowError
from workflows.files import folder_sha256, sha256
from workflows.studies.context import Context
from workflows.studies.plagiarism import checks, pinned, thresholds
from workflows.studies.plagiarism.pinned import Pinned
from workflows.studies.scores import confusion
from workflows.studies.study import Result


def located(context: Context) -> Located:
    """The corpus that the run was asked to take."""
    source = "" if context.value("data") == "auto" else str(context.value("data"))
    return place.locate("plagiarism", detached.own_configuration(context.run.configuration), source)


def read(context: Context) -> Pinned:
    """The pinned corpus, after its files were found unchanged.

    Raises:
        StaleResult: A file changed since it was pinned.
    """
    context.ledger.verify("prepare")
    return pinned.read(context.work, tuple(context.of("prepare")["names"]))


def prepare_inputs(context: Context) -> dict[str, Any]:
    """What corpus, features and split depend on."""
    names = ("features", "cutoff", "split-seed")
    return {name: context.value(name) for name in names} | {
        "corpus": located(context).sha256,
        "code": _measuring_code(),
    }


def prepare(context: Context) -> Result:
    """Texts, features.csv and train.csv below the work folder.

    Raises:
        WorkflowError: The corpus cannot be used, or a feature does not exist.
    """
    where = located(context)
    context.log(where.note, level="warning" if where.synthetic else "info")
    seed = int(context.value("split-seed"))
    made, files = pinned.pin(
        where, context.work, str(context.value("features")), float(context.value("cutoff")), seed
    )
    hashes = {name: sha256(context.work / name) for name in (pinned.TABLE, pinned.TRAIN)}
    context.artifact("data", where.dataset.title, str(where.folder), where.sha256)
    for name, digest in hashes.items():
        context.artifact("data", name, str(context.work / name), digest)
    mark = " [SYNTHETIC data]" if where.synthetic else ""
    means = made.features.groupby(made.frame["Category"]).mean()
    counts = made.frame["Category"].value_counts()
    columns = [str(name) for name in made.features.columns]
    context.table(
        f"Answers by category and their mean features{mark}",
        ["category", "answers", *columns],
        [
            [
                category.value,
                int(counts[category.number]),
                *(round(float(value), 3) for value in means.loc[category.number]),
            ]
            for category in Category
            if category is not Category.ORIG and category.number in counts.index
        ],
    )
    if context.value("features") == pinned.SELECT:
        context.log(f"Selected on the training answers: {', '.join(made.names)}.")
    return Result(
        outputs={
            "names": list(made.names),
            "corpus_sha256": where.sha256,
            "table_sha256": hashes[pinned.TABLE],
            "train_sha256": hashes[pinned.TRAIN],
            "source": where.as_dict(),
            "synthetic": where.synthetic,
            "unlisted": list(pinned.read_corpus(where.folder).unlisted),
        },
        files=files,
        summary=f"{where.kind}: {len(made.answers.y)} answers to {len(made.corpus.originals)} sources, {len(made.train.y)} train, "
        f"{len(made.test.y)} test; trained on {', '.join(made.names)}.",
    )


def data_inputs(context: Context) -> dict[str, Any]:
    """The content of the data."""
    return context.of("prepare")


def audit(context: Context) -> Result:
    """Encodings, duplicates, leaks, alignment of features, sentinels, and labels that go with the texts.

    Raises:
        WorkflowError: Something makes every score meaningless.
    """
    found = read(context)
    dropped = [document for document in found.corpus.documents if document.dropped]
    if dropped:
        context.table(
            context.titled("Bytes that are no UTF-8 and were left out"),
            ["file", "category", "bytes", "of"],
            [
                [
                    document.file,
                    document.category.value,
                    document.dropped,
                    (context.work / pinned.TEXTS / document.file).stat().st_size,
                ]
                for document in sorted(dropped, key=lambda document: -document.dropped)
            ],
        )
    _correlations(context, found)
    step = context.step
    verdicts = [
        checks.encodings(step, found.corpus),
        checks.unlisted(step, found.corpus, tuple(context.of("prepare")["unlisted"])),
        checks.alignment(step, found),
        checks.sentinels(step, found),
        checks.duplicates(step, found),
        checks.labels(step, found),
    ]
    for gate in verdicts:
        context.send(gate)
    failed = [gate for gate in verdicts if gate.verdict == "fail"]
    if failed:
        reasons = " ".join(gate.reason for gate in failed)
        raise WorkflowError(f"{reasons} Correct the corpus and start a new run.")
    warned = [gate.name for gate in verdicts if gate.verdict == "warn"]
    return Result(
        outputs={"warnings": warned},
        summary=f"Nothing that would falsify a score; to be known: {', '.join(warned)}."
        if warned
        else "Nothing was found.",
    )


def baseline(context: Context) -> Result:
    """The commoner class, and thresholds on one feature, judged by leave-one-out and on the test answers."""
    found = read(context)
    every, test = found.answers.y.tolist(), found.test.y.tolist()
    made = thresholds.all_of(found)
    rows = []
    scores = {}
    for item in made:
        left_out, tested = confusion(every, item.left_out).accuracy, confusion(test, item.test).accuracy
        scores[item.name] = left_out
        rows.append([item.name, item.rule, round(left_out, 4), round(tested, 4)])
    context.table(
        context.titled("Baselines that cost nothing"),
        ["baseline", "rule", "leave-one-out", "test answers"],
        rows,
    )
    best = max(scores, key=scores.__getitem__)
    return Result(
        outputs={
            "best": best,
            "left_out": {item.name: item.left_out for item in made},
            "test": {item.name: item.test for item in made},
            "metrics": {"baseline_accuracy": scores[best], "majority_accuracy": scores[thresholds.MAJORITY]},
        },
        summary=", ".join(f"{name} {score:.3f}" for name, score in scores.items()) + " by leave-one-out.",
    )


def _correlations(context: Context, found: Pinned) -> None:
    """Correlations of the features over the answers, and what the notebook's matrix with the originals' -1 has instead."""
    columns = [str(name) for name in found.features.columns]
    for sentinels, text in (
        (False, "Correlations of the features over the answers"),
        (True, "The same with the originals' rows of -1, as the notebook has them: all too high"),
    ):
        matrix = features.correlations(found.features, sentinels=sentinels)
        context.table(
            context.titled(text),
            ["", *columns],
            [[name, *(round(float(matrix.loc[name, other]), 2) for other in columns)] for name in columns],
        )


def _measuring_code() -> str:
    from pathlib import Path

    import algorithms.plagiarism

    return folder_sha256(Path(algorithms.plagiarism.__file__).parent)
