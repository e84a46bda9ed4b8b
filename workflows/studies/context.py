"""What a step works with: the target, the parameters, the run's folder, and how it tells what happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflows import events
from workflows.failures import Cancelled
from workflows.interfaces.base import Interface
from workflows.interfaces.waiting import Waiter
from workflows.ledger import Ledger
from workflows.platform import Platform
from workflows.runs import Run

ASK = 0.2
"""Seconds between two looks for an answer."""


@dataclass(slots=True)
class Context:
    """One run at work. ``step`` is the id of the step in progress."""

    run: Run
    platform: Platform
    interface: Interface
    ledger: Ledger
    waiter: Waiter
    cancelled: threading.Event
    send: Callable[[events.Event], None]
    changed: Callable[..., None]
    step: str = ""

    @property
    def work(self) -> Path:
        """The run's folder for data and downloads."""
        return self.run.work

    @property
    def prefix(self) -> str:
        """The S3 URI below which everything of this run lies, without a slash at its end."""
        return f"s3://{self.platform.bucket}/mlconsole/{self.run.id}"

    @property
    def tags(self) -> dict[str, str]:
        """The tags of every resource that the run makes."""
        return {"mlconsole:run": self.run.id, "mlconsole:study": self.run.study}

    def value(self, parameter: str) -> Any:
        """A parameter's value."""
        return self.run.parameters[parameter]

    def of(self, step: str) -> dict[str, Any]:
        """The outputs of an earlier step."""
        return self.ledger.outputs(step)

    def titled(self, title: str, made_up: bool | None = None) -> str:
        """A title that says so when the data are made up: those of the run, or, where it has several, those that it is about."""
        synthetic = self.of("prepare").get("synthetic") if made_up is None else made_up
        return f"{title} [SYNTHETIC data]" if synthetic else title

    def log(
        self, message: str, level: events.Level = "info", source: str = "", at: float | None = None
    ) -> None:
        """Tells one line."""
        self.send(
            events.Log(time=at or time.time(), step=self.step, message=message, source=source, level=level)
        )

    def progress(self, done: float, total: float, unit: str = "", note: str = "") -> None:
        """Tells how far the step is."""
        self.send(
            events.Progress(time=time.time(), step=self.step, done=done, total=total, unit=unit, note=note)
        )

    def metric(self, name: str, value: float, x: float | None = None, unit: str = "epoch") -> None:
        """Tells one point of a series, at the ``x``-th ``unit``."""
        self.send(events.Metric(time=time.time(), step=self.step, name=name, value=value, x=x, unit=unit))

    def table(self, title: str, columns: list[str], rows: list[list[Any]]) -> None:
        """Tells a table."""
        self.send(events.Table(time=time.time(), step=self.step, title=title, columns=columns, rows=rows))

    def figure(
        self,
        title: str,
        form: str,
        series: list[dict[str, Any]],
        x_label: str = "",
        y_label: str = "",
        key: str = "",
    ) -> None:
        """Tells a figure as data; it takes the place of an earlier one of the step with the same ``key`` (or title)."""
        self.send(
            events.Figure(
                time=time.time(),
                step=self.step,
                title=title,
                form=form,
                series=series,
                x_label=x_label,
                y_label=y_label,
                key=key,
            )
        )

    def note(self, title: str, text: str, *shown: tuple[str, str, str]) -> None:
        """Tells what there is to learn here; ``shown`` are (title, language, text) to look at."""
        self.send(
            events.Note(
                time=time.time(),
                step=self.step,
                title=title,
                text=text,
                shown=[{"title": head, "language": language, "text": body} for head, language, body in shown],
            )
        )

    def artifact(self, what: str, name: str, location: str = "", sha256: str = "") -> None:
        """Tells of something that the run made."""
        self.send(
            events.Artifact(
                time=time.time(), step=self.step, what=what, name=name, location=location, sha256=sha256
            )
        )

    def check(self) -> None:
        """Ends the step when the run was asked to stop.

        Raises:
            Cancelled: It was.
        """
        if self.cancelled.is_set():
            raise Cancelled

    def ask(self, question: str, text: str, choices: list[str], default: str) -> str:
        """Asks a person, or takes the answer that was given beforehand, or the default when nobody is there.

        Raises:
            Cancelled: The run was asked to stop while it waited.
        """
        beforehand = self.run.auto_answers.get(question, "")
        waits = self.run.interactive and beforehand not in choices
        asked = {"question": question, "text": text, "choices": choices, "default": default}
        if waits:  # the manifest first: who sees the event may answer at once
            self.changed(status="waiting", question=asked)
        self.send(events.Question(time=time.time(), step=self.step, **asked))  # type: ignore[arg-type]
        if beforehand in choices:
            return self._answered(question, beforehand, "an option of the run")
        if not waits:
            return self._answered(question, default, "default: nobody was there to ask")
        file = self.run.control / f"answer-{question}"
        while not file.exists():
            if self.cancelled.wait(ASK):
                raise Cancelled
        choice = file.read_text(encoding="utf-8").strip()
        self.changed(status="running", question=None)
        return self._answered(question, choice if choice in choices else default, "a person")

    def _answered(self, question: str, choice: str, by: str) -> str:
        self.send(events.Answered(time=time.time(), step=self.step, question=question, choice=choice, by=by))
        return choice
