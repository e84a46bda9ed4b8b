"""The score before anything is hosted: leave-one-out beside the class's split, the luck of splits, and every mistake."""

from __future__ import annotations

from typing import Any

from algorithms.plagiarism import audit, evaluation
from workflows.studies import gates, notebook
from workflows.studies.context import Context
from workflows.studies.plagiarism import local, printed, sidebyside, trained
from workflows.studies.plagiarism.pinned import Pinned
from workflows.studies.scores import Confusion, confusion
from workflows.studies.study import Result

SHOWN = 5
"""Mistakes that are shown with their texts."""
AT_ONCE = 5
"""Seeds between two looks whether the run is to stop."""
LEFT_OUT = "leave-one-out.csv"


def evaluate(context: Context) -> Result:
    """Leave-one-out over all answers decides; the class's split is shown with its spread over other seeds.

    Raises:
        Refused: It misses the target or loses to a baseline.
    """
    import numpy as np

    found = local.read(context)
    context.ledger.verify("train", "gate")
    options = trained.options(context.run.parameters)
    judged = evaluation.leave_one_out(found.frame, found.features, found.names, **options)
    path = context.work / LEFT_OUT
    judged.to_csv(path, index=False)
    answers = np.load(context.work / trained.ANSWERS, allow_pickle=False)
    left_out = confusion(judged["Class"].tolist(), judged["Predicted"].tolist())
    split = confusion(found.test.y.tolist(), [int(label) for label in answers[:, 0]])
    spread = _spread(context, found, options)
    _scores(context, found, left_out, split)
    notebook.beside(
        context,
        [
            (name, getattr(printed.LOGISTIC, name), getattr(split, name))
            for name in ("recall", "precision", "accuracy")
        ],
    )
    _mistakes(context, found, judged)
    doubtful = _doubtful(context, found, judged)
    best = context.of("baseline")["best"]
    truth = judged["Class"].tolist()
    checks = [
        trained.target(context, "target, leave-one-out", left_out.accuracy, len(judged)),
        trained.target(context, "target, this split", split.accuracy, len(found.test.y), "warn"),
        gates.luck(context.step, "split", split.accuracy, spread, len(found.test.y), "leave-one-out"),
        gates.against_baseline(
            context.step,
            best,
            [a == b for a, b in zip(judged["Predicted"].tolist(), truth, strict=True)],
            [a == b for a, b in zip(context.of("baseline")["left_out"][best], truth, strict=True)],
        ),
    ]
    scores = {
        "leave_one_out": left_out.accuracy,
        "accuracy": split.accuracy,
        "precision": left_out.precision,
        "recall": left_out.recall,
        "answers": float(len(judged)),
        "points": float(len(found.test.y)),
        "seeds_mean": float(np.mean(spread)),
        "seeds_sd": float(np.std(spread, ddof=1)) if len(spread) > 1 else 0.0,
        "seeds_min": min(spread),
        "seeds_max": max(spread),
        "seeds": float(len(spread)),
        "doubtful_labels": float(doubtful),
    }
    context.ledger.note("evaluate", scores=scores)
    gates.decide(context, checks, overruled=bool(context.of("gate")["overruled"]))
    return Result(
        outputs={"scores": scores},
        files=[path],
        summary=f"Leave-one-out {left_out.accuracy:.4f} of {len(judged)}; this split {split.accuracy:.2f}, over {len(spread)} splits "
        f"{scores['seeds_mean']:.3f} ({scores['seeds_min']:.2f} to {scores['seeds_max']:.2f}).",
    )


def _spread(context: Context, found: Pinned, options: dict[str, Any]) -> list[float]:
    """Accuracies on the test answers of seeds 0, 1, 2, …"""
    from collections import Counter

    total = int(context.value("spread-seeds"))
    scores: list[float] = []
    frame = found.frame.drop(columns="Datatype")
    for start in range(0, total, AT_ONCE):
        context.check()
        seeds = range(start, min(start + AT_ONCE, total))
        counts = evaluation.over_seeds(frame, found.features, found.names, seeds, **options)
        scores += [counts[seed].accuracy for seed in seeds]
        context.progress(len(scores), total, "splits")
    tally = Counter(round(score, 4) for score in scores)
    heights = sorted(tally)
    context.figure(
        context.titled(f"Share of right test answers over {total} split seeds: how many seeds"),
        "bar",
        [
            {
                "name": "seeds",
                "x": [f"{height:.2f}" for height in heights],
                "y": [tally[height] for height in heights],
            }
        ],
        "share of right test answers",
        "seeds",
    )
    return scores


def _scores(context: Context, found: Pinned, left_out: Confusion, split: Confusion) -> None:
    baselines = context.of("baseline")
    every, test = found.answers.y.tolist(), found.test.y.tolist()
    rows = [_row("this classifier, leave-one-out", left_out)]
    rows += [
        _row(f"{name}, leave-one-out", confusion(every, said)) for name, said in baselines["left_out"].items()
    ]
    rows.append(_row(f"this classifier, split seed {context.value('split-seed')}", split))
    rows += [_row(f"{name}, same split", confusion(test, said)) for name, said in baselines["test"].items()]
    rows += [_row(f"notebook: {name}", counts) for name, counts in printed.PRINTED]
    columns = ["model", "accuracy", "recall", "precision", "TN", "FP", "FN", "TP"]
    context.table(context.titled("Scores (notebooks: as printed there, split seed 1)"), columns, rows)


def _mistakes(context: Context, found: Pinned, judged: Any) -> None:
    """Every mistake with its features; the surest with its text beside the source."""
    mistakes = audit.mistakes(found.corpus, found.features, judged)
    if not mistakes:
        context.log("Leave-one-out makes no mistake.")
        return
    context.table(
        context.titled("Mistakes of leave-one-out, the surest first"),
        ["file", "category", "mistake", "probability", *found.names],
        [
            [
                item.file,
                item.category.value,
                item.kind,
                round(item.probability, 3),
                *(round(item.features[name], 3) for name in found.names),
            ]
            for item in mistakes
        ],
    )
    for item in mistakes[:SHOWN]:
        alignment = item.align(found.corpus)
        context.table(
            context.titled(
                f"{item.file} ({item.category.value}, {item.kind}) beside its source: {alignment.common} common words in order, "
                f"{alignment.share:.0%} of the answer, in «marks»",
            ),
            ["answer", "source"],
            sidebyside.rows(alignment),
        )


def _doubtful(context: Context, found: Pinned, judged: Any) -> int:
    """Answers whose label should be looked at; how many."""
    doubtful = audit.candidates(found.corpus, found.features, judged)
    if doubtful:
        context.table(
            context.titled("Labels that deserve a second look (confident learning)"),
            ["file", "labelled", "looks like", "probability", "typical", *found.names],
            [
                [
                    item.file,
                    item.category.value,
                    item.nearest.value,
                    round(item.probability, 3),
                    round(item.typical, 3),
                    *(round(item.features[name], 3) for name in found.names),
                ]
                for item in doubtful
            ],
        )
    return len(doubtful)


def _row(name: str, counts: Confusion) -> list[Any]:
    ratios = [round(value, 3) for value in (counts.accuracy, counts.recall, counts.precision)]
    return [name, *ratios, counts.tn, counts.fp, counts.fn, counts.tp]
