"""A study's steps at work in the test's own process, one after another, without a run's process around them."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any, cast

from workflows import events, interfaces
from workflows.configuration import Configuration
from workflows.interfaces.base import Interface
from workflows.interfaces.waiting import EMBEDDED, Waiter
from workflows.ledger import Ledger
from workflows.platform import Platform
from workflows.runs import Run
from workflows.studies.catalog import find
from workflows.studies.context import Context
from workflows.studies.parameters import Value, parse_all


class Work:
    """A run in a folder. Steps that ask nothing of SageMaker need no platform.

    Args:
        folder: Where the run's folder is made.
        data_dir: The folder of real data; empty: none.
    """

    def __init__(
        self,
        study: str,
        folder: Path,
        parameters: dict[str, Value] | None = None,
        platform: Platform | None = None,
        data_dir: str = "",
    ) -> None:
        self.info = find(study)
        self.told: list[events.Event] = []
        run = Run(
            id=f"{study}-at-work",
            folder=folder / study,
            study=study,
            interface="low",
            status="running",
            created=time.time(),
            parameters=parse_all(self.info.parameters, parameters or {}),
            configuration=Configuration(data_dir=data_dir).as_dict(),
        )
        run.work.mkdir(parents=True)
        cancelled = threading.Event()
        self.context = Context(
            run=run,
            platform=cast(Platform, platform),
            interface=interfaces.make("low", platform) if platform else cast(Interface, None),
            ledger=Ledger(run.folder),
            waiter=Waiter(EMBEDDED, cancelled),
            cancelled=cancelled,
            send=self.told.append,
            changed=lambda **_: None,
        )

    def does(self, *names: str) -> dict[str, Any]:
        """Carries out the steps of these names and records them, as the runner does; the last one's outputs."""
        steps = {step.id: step for step in self.info.load().steps}
        for name in names:
            self.context.step = name
            self.context.ledger.begin(name, steps[name].inputs(self.context))
            result = steps[name].run(self.context)
            self.context.ledger.finish(name, result.outputs, result.files, result.summary, 0.0)
        return self.context.of(names[-1])

    @property
    def gates(self) -> dict[str, events.Gate]:
        """The verdicts so far, by name."""
        return {event.name: event for event in self.told if isinstance(event, events.Gate)}
