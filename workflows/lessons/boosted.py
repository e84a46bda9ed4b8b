"""XGBoost as the lessons train it: hyperparameters, channels, the job, and the scores of its answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from algorithms.reviews import bag
from workflows.builtin import images
from workflows.builtin.request import ChannelInput
from workflows.interfaces.base import MetricDefinition
from workflows.lessons import channels, subject
from workflows.lessons.channels import Files
from workflows.lessons.subject import Kind, Rows, Subject
from workflows.studies import training
from workflows.studies.context import Context
from workflows.studies.parameters import Parameter

NAME, TITLE, UNIT = "xgboost", "XGBoost", "tree"
LIBSVM, CSV = "text/libsvm", "text/csv"
PARAMETERS = (
    Parameter("max-depth", "int", 5, "Levels of a tree.", 1, 20, unit="levels"),
    Parameter("eta", "float", 0.2, "Share of a tree's correction that is taken.", 0.001, 1.0),
    Parameter("gamma", "float", 4.0, "Least gain of a split (for prices of small numbers: 0).", 0.0, 1000.0),
    Parameter("min-child-weight", "float", 6.0, "Least weight of a leaf.", 0.0, 10_000.0),
    Parameter("subsample", "float", 0.8, "Share of the rows that a tree sees.", 0.05, 1.0),
    Parameter("num-round", "int", 200, "Most trees.", 1, 10_000, unit="trees"),
    Parameter("early-stopping-rounds", "int", 10, "Trees without a better validation score before it ends.", 1, 1000, unit="trees"),
    Parameter("seed", "int", 1, "Seed of the rows that trees see.", 0, 2**31 - 1),
)  # fmt: skip
"""The lessons' XGBoost settings are the defaults."""


def hyperparameters(context: Context, kind: Kind, **others: object) -> dict[str, str]:
    """A run's hyperparameters as SageMaker takes them: all of them texts."""
    return settings(context.run.parameters, kind, **others)


def settings(parameters: Mapping[str, Any], kind: Kind, **others: object) -> dict[str, str]:
    """The same from the values of parameters; ``others`` come on top."""
    found: dict[str, object] = {item.name.replace("-", "_"): parameters[item.name] for item in PARAMETERS}
    found |= {
        "objective": kind.objective,
        "eval_metric": ",".join(dict.fromkeys((kind.metric, kind.watched))),
        **others,
    }
    return {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in found.items()}


def image(context: Context) -> str:
    """XGBoost's image in the run's region."""
    return images.uri("xgboost", context.platform.region)


def serving(context: Context) -> tuple[str, dict[str, str]]:
    """The same image serves, and needs no environment."""
    return image(context), {}


def code(context: Context) -> str:
    """Nothing is uploaded."""
    return ""


def metrics(kind: Kind) -> tuple[MetricDefinition, ...]:
    """What the container's log tells each round."""
    return tuple(
        MetricDefinition(f"{name}:{metric}", rf"\[\d+\].*#?{name}-{metric}:([-+0-9.eE]+)")
        for metric in dict.fromkeys((kind.metric, kind.watched))
        for name in ("train", "validation")
    )


def write(context: Context, found: Subject) -> Files:
    """train, validation (label first) and test (no label) below the work folder, in the format of the channel.

    A vocabulary is made from the training reviews only, and written beside them.
    """
    if found.name != "reviews":
        paths = {name: context.work / f"{name}.csv" for name in subject.SETS}
        for name in ("train", "validation"):
            subject.write_labelled(paths[name], found.sets[name])
        lines = subject.csv_lines(found.sets["test"].features)
        paths["test"].write_text("\n".join(lines) + "\n", encoding="utf-8")
        return Files(paths, CSV)
    vocabulary = bag.fit(found.sets["train"].texts, int(context.value("vocabulary")))
    vocabulary.save(context.work / subject.VOCABULARY)
    paths = {name: context.work / f"{name}.libsvm" for name in subject.SETS}
    for name, path in paths.items():
        subject.write_labelled(path, found.sets[name], encoded(vocabulary, found.sets[name], name != "test"))
    return Files(paths, LIBSVM, vocabulary)


def encoded(vocabulary: bag.Vocabulary, rows: Rows, labelled: bool) -> list[str]:
    """Reviews as lines of LIBSVM. The last column is written in the first line even where it is 0: XGBoost counts columns by it."""
    lines: list[str] = []
    for text, label in zip(rows.texts, rows.labels.tolist(), strict=True):
        counts = vocabulary.count(text)
        if not lines:
            counts.setdefault(len(vocabulary) - 1, 0)
        lines.append(bag.libsvm(counts, label if labelled else None))
    return lines


def job(
    context: Context,
    name: str,
    inputs: Sequence[ChannelInput],
    settings: dict[str, str],
    kind: Kind,
    label: str = "",
) -> training.Job:
    """A job of XGBoost as `training.train_all` takes it; ``label`` tells jobs apart."""
    return training.Job(
        training.built_in(context, name, image(context), inputs, settings),
        0,
        metrics(kind),
        label,
        unit="round",
    )


def job_on(context: Context, name: str, files: Files, kind: Kind, label: str = "") -> training.Job:
    """Uploads the channels, and the job on them with the run's hyperparameters."""
    inputs = channels.upload(context, files.paths, files.content_type)
    return job(context, name, inputs, hyperparameters(context, kind), kind, label)


@dataclass(frozen=True, slots=True)
class Score:
    """A score on the test rows with its standard error; ``kind`` says which way is better."""

    kind: Kind
    value: float
    error: float

    def __str__(self) -> str:
        return f"{self.kind.score} {self.value:.4f} ± {self.error:.4f}"

    def better(self, other: Score) -> bool:
        """Whether this one is better, whatever the errors."""
        return self.value < other.value if self.kind.smaller_is_better else self.value > other.value


def score(kind: Kind, labels: Any, answers: Any) -> Score:
    """RMSE (its error by the delta method on the mean squared error) or accuracy at one half (binomial error).

    Args:
        labels: (n,) prices, or 0 and 1.
        answers: (n,) predicted prices, or probabilities.
    """
    import numpy as np

    truth, found = np.asarray(labels, dtype=float), np.asarray(answers, dtype=float)
    if kind.smaller_is_better:
        squares = (truth - found) ** 2
        rmse = math.sqrt(float(squares.mean()))
        error = float(squares.std(ddof=1)) / math.sqrt(len(squares)) / (2 * rmse) if rmse else 0.0
        return Score(kind, rmse, error)
    hits = (found >= 0.5) == (truth == 1)
    share = float(hits.mean())
    return Score(kind, share, math.sqrt(share * (1 - share) / len(hits)))


def parsed(lines: Sequence[str]) -> Any:
    """The container's answers, one number a line, as (n,).

    Raises:
        ValueError: A line is not a number.
    """
    import numpy as np

    return np.array([float(line) for line in lines])


def best_round(series: dict[str, list[float]], kind: Kind) -> tuple[int, float]:
    """The round (from 0) that the job keeps: the best of the watched validation series; and the metric's value then.

    Raises:
        ValueError: The log told none.
    """
    watched = series.get(f"validation:{kind.watched}") or []
    values = series.get(f"validation:{kind.metric}") or []
    if not watched or len(values) != len(watched):
        raise ValueError(f"The training log tells no validation {kind.metric}.")
    best = min(range(len(watched)), key=watched.__getitem__)
    return best, values[best]


def curves(series: dict[str, list[float]], kind: Kind) -> tuple[str, dict[str, list[float]]]:
    """What is drawn over trees: its name, and the values by set."""
    found = {
        name.partition(":")[0]: values for name, values in series.items() if name.endswith(f":{kind.metric}")
    }
    return kind.metric, found
