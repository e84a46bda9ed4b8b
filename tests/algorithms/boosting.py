"""What the XGBoost tests share: rows in every format, training jobs in a folder, the library's own models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.builtin.job import Channel, Job
from algorithms.builtin.xgb import models, training
from algorithms.formats import records


def rows(count: int = 30, seed: int = 1) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count, 3))
    return np.column_stack([features[:, 0] * 2 + features[:, 1], features]).astype(np.float32).astype(float)


def text(values: NDArray[Any], mark: str = ",") -> bytes:
    return "".join(mark.join(repr(float(x)) for x in row) + "\n" for row in values).encode()


def sparse_text(values: NDArray[Any], weights: NDArray[Any] | None = None) -> bytes:
    lines = []
    for number, row in enumerate(values):
        head = repr(float(row[0])) + (f":{float(weights[number])!r}" if weights is not None else "")
        lines.append(" ".join([head, *(f"{i}:{float(x)!r}" for i, x in enumerate(row[1:]))]))
    return "\n".join(lines).encode()


def parquet(values: NDArray[Any]) -> bytes:
    import io

    import pyarrow
    from pyarrow import parquet

    stream = io.BytesIO()
    parquet.write_table(pyarrow.table({f"c{i}": column for i, column in enumerate(values.T)}), stream)
    return stream.getvalue()


def packed(values: NDArray[Any]) -> bytes:
    found = values.astype(np.float32)
    return b"".join(records.dense(found[:, 1:], found[:, 0]))


class Jobs:
    """Training jobs in a folder."""

    def __init__(self, base: Path) -> None:
        self.base = base

    def job(
        self, content: str, channels: dict[str, dict[str, bytes]], tag: str = "1.7-1", **given_: str
    ) -> Job:
        found = {}
        for name, files in channels.items():
            folder = self.base / "input" / "data" / name
            for path, content_ in files.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content_)
            folder.mkdir(parents=True, exist_ok=True)
            found[name] = Channel(name, folder, content)
        return Job(
            "job", "xgboost", tag, {"num_round": "4", "max_depth": "2", **given_}, found, self.base / "model",
            self.base / "output" / "data", self.base / "checkpoints", 1,
        )  # fmt: skip

    def booster(
        self, content: str, channels: dict[str, dict[str, bytes]], tag: str = "1.7-1", **given_: str
    ) -> Any:
        """The model of a training."""
        training.train(self.job(content, channels, tag, **given_))
        return models.load(self.base / "model", 1).boosters[0]


def library_model(values: NDArray[Any], weights: NDArray[Any] | None = None, **given_: Any) -> Any:
    import xgboost

    matrix = xgboost.DMatrix(values[:, 1:], label=values[:, 0], weight=weights)
    return xgboost.train({"max_depth": 2, **given_}, matrix, 4)


def same(one: Any, other: Any) -> bool:
    import xgboost

    probe = xgboost.DMatrix(rows(50, seed=7)[:, 1:])
    return bool((one.predict(probe) == other.predict(probe)).all())
