"""What the console asks of the layers below it. The application knows only this protocol; tests bring their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from workflows.events import Event
from workflows.observe.rows import DeletionPlan, Invocation
from workflows.runs import Run
from workflows.studies.catalog import StudyInfo
from workflows.studies.parameters import Value
from workflows.topics import HubStatus, Snapshot, Topic

Deliver = Callable[[Snapshot[Any]], None]
Unwatch = Callable[[], None]


class Services(Protocol):
    """Observation, actions and runs.

    ``deliver`` callbacks come from other threads with immutable values. Methods marked *blocks* take as long as the
    backend takes: they are called in threads of their own, and raise what `workflows.explain` can explain.
    """

    target: str
    profile: str
    region: str
    read_only: bool
    interface: str

    def now(self) -> float:
        """Epoch seconds."""

    def start(self, on_status: Callable[[HubStatus], None]) -> None:
        """Begin observing in the background; returns at once."""

    def close(self) -> None:
        """Stop observing; returns at once, calls in flight are abandoned."""

    def watch(self, topic: Topic[Any], deliver: Deliver) -> Unwatch:
        """Observe a topic until the returned function is called. What is known already is delivered at once."""

    def refresh(self) -> None:
        """Poll everything watched as soon as the budget allows."""

    def pause(self, paused: bool) -> None:
        """Stop or go on polling."""

    def hidden(self, yes: bool) -> None:
        """Whether nobody looks: another window has the focus."""

    def studies(self) -> Sequence[StudyInfo]:
        """The catalog."""

    def start_run(
        self, study: str, values: Mapping[str, Value], *, interface: str, keep: bool, preset: str
    ) -> Run:
        """Start a run that asks its questions here. Blocks."""

    def find_run(self, run: str) -> Run:
        """The run of an id. Blocks (a file)."""

    def follow(self, run: str, deliver: Callable[[Event], None], closed: Callable[[], bool]) -> None:
        """Deliver all events of a run, then new ones as they come. Blocks until its end or until ``closed``."""

    def stop_run(self, run: str) -> None:
        """Ask a run to stop and clean up. Blocks."""

    def resume_run(self, run: str) -> None:
        """Go on with a run that was interrupted, stopped or failed. Blocks."""

    def answer(self, run: str, question: str, choice: str) -> None:
        """Answer the question of a run. Blocks."""

    def code(self, run: str) -> str:
        """A run as a plain script. Blocks."""

    def stop_job(self, name: str) -> None:
        """Stop a training job. Blocks."""

    def plan_deletion(self, endpoint: str) -> DeletionPlan:
        """What deleting an endpoint deletes. Blocks."""

    def delete_endpoint(self, plan: DeletionPlan) -> Sequence[str]:
        """Carry out a plan; returns what was deleted. Blocks."""

    def invoke(
        self, endpoint: str, body: bytes, *, content_type: str, accept: str, variant: str
    ) -> Invocation:
        """Send a payload. Blocks."""
