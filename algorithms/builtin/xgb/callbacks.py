"""What happens after each boosting round: the log line, the checkpoint, early stopping, and an end that was asked for."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from algorithms.builtin.xgb import checkpoints, notes
from algorithms.builtin.xgb.metrics import shown


@dataclass
class Rounds:
    """What a training does between two rounds.

    Attributes:
        start: The number of the first round: that of a model which is trained on.
        folder: Where checkpoints go, None for nowhere.
        interrupted: Called with the model when the job is being stopped; does not return.
    """

    start: int = 0
    folder: Path | None = None
    interrupted: Callable[[Any], None] | None = None
    lines: list[str] = field(default_factory=list)
    _stopping: bool = False

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Let SIGTERM end the training after the round that runs, with its model."""
        if self.interrupted is None or threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGTERM, self._ask)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True

    def after(self, model: Any, epoch: int, log: dict[str, dict[str, list[Any]]]) -> None:
        """Print the metrics of a round, keep its checkpoint, and leave when asked to."""
        line = f"[{self.start + epoch}]{line_of(log)}"
        self.lines.append(line)
        notes.plain(line)
        if self.folder is not None:
            checkpoints.save(model, self.folder, self.start + epoch)
        if self._stopping and self.interrupted is not None:
            self.interrupted(model)


def line_of(log: dict[str, dict[str, list[Any]]], at: int = -1) -> str:
    """The metrics of a round as the container prints them behind its number, each after a tab."""
    return "".join(
        f"\t{data}-{shown(metric)}:{values[at]:.5f}"
        for data, metrics in log.items()
        for metric, values in metrics.items()
    )


def callbacks(xgboost: Any, rounds: Rounds, stopping: Any | None) -> list[Any]:
    """The library's callbacks for a training; ``stopping`` is its own EarlyStopping."""

    class AfterRound(xgboost.callback.TrainingCallback):  # type: ignore[misc]
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            rounds.after(model, epoch, evals_log)
            return False

    # The log line of a round stands before the one that says that it was the last.
    return [AfterRound(), *([stopping] if stopping is not None else [])]
