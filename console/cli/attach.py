"""Watches a run until it ends, is stopped, or is left alone. The run is a process of its own: leaving never harms it."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Protocol

import click

from console.cli.asking import read_line
from console.cli.failures import HUNG_UP, INTERRUPTED, TERMINATED
from console.cli.output import prose
from console.cli.summary import EXIT, print_summary
from workflows import lineage, runs
from workflows.events import Event, Question, RunFinished, to_json
from workflows.failures import WorkflowError
from workflows.runs import Run


class Renderer(Protocol):
    """Shows events."""

    def show(self, event: Event) -> None:
        """Show one event."""

    def pause(self) -> None:
        """Leave the terminal to a prompt."""

    def resume(self) -> None:
        """Take it again."""

    def close(self) -> None:
        """The run has ended, or is left alone."""


class JsonLines:
    """One event a line, as it is stored."""

    def show(self, event: Event) -> None:
        click.echo(to_json(event))

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def close(self) -> None: ...


class _Signalled(Exception):
    """A signal came while nothing was being shown."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class _Signals:
    """Signals end the wait for the next event at once, but never the showing of one."""

    def __init__(self) -> None:
        self.busy = True
        self.pending = 0
        self._before: dict[int, object] = {}

    def __enter__(self) -> _Signals:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.busy:
            self.pending = number
        else:
            raise _Signalled(number)

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Within this, a signal raises `_Signalled`."""
        self.busy = False
        try:
            if self.pending:
                number, self.pending = self.pending, 0
                raise _Signalled(number)
            yield
        finally:
            self.busy = True


class Silent:
    """Shows nothing: whoever waits says in the end what came out."""

    def show(self, event: Event) -> None:
        """Leave it out."""

    def pause(self) -> None:
        """Nothing is on the screen that a prompt could disturb."""

    def resume(self) -> None:
        """Go on."""

    def close(self) -> None:
        """There is nothing to end."""


def chosen_renderer(*, as_json: bool, calls: bool = False, logs: bool = False) -> Renderer:
    """JSON lines, a live screen on a terminal that can move its cursor, or plain lines."""
    import os

    if as_json:
        return JsonLines()
    if sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown"):
        from console.cli.screen import Screen

        return Screen(calls=calls, logs=logs)
    from console.cli.lines import Lines

    return Lines(calls=calls, logs=logs)


def can_ask() -> bool:
    """Whether a person is at the terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def watch(run: Run, renderer: Renderer, *, ask: bool, quiet: bool = False) -> int:
    """Show the run until its end; returns the exit status.

    Args:
        run: The run.
        renderer: Shows the events.
        ask: Whether a person can be asked: questions of the run, and at Ctrl-C whether to detach or to stop. Otherwise
            SIGINT and SIGTERM stop the run with its clean-up. SIGHUP detaches.
        quiet: No summary at the end.
    """
    seen = 0
    signalled = 0
    end: RunFinished | None = None
    # What is computed now belongs to the run; what lies in a folder may have changed since.
    checked = None if runs.read(run.folder).active else lineage.check(run)
    with _Signals() as signals:
        iterator = runs.follow(run)
        while True:
            try:
                with signals.waiting():
                    event = next(iterator, None)
            except _Signalled as came:
                iterator = runs.follow(run, offset=seen)
                if came.number == signal.SIGHUP:
                    return HUNG_UP
                choice = _choose(run, renderer, signals) if ask and came.number == signal.SIGINT else "stop"
                if choice == "detach":
                    _say_detached(run, renderer)
                    return 0
                if choice == "stop":
                    signalled = came.number
                    _stop(run, renderer)
                continue
            if event is None:
                break
            seen += 1
            event = checked.shown(event) if checked else event
            if event is None:
                continue
            renderer.show(event)
            if isinstance(event, RunFinished):
                end = event
            elif isinstance(event, Question) and ask:
                _ask(run, event, renderer, signals)
    renderer.close()
    if end is None:
        return EXIT["interrupted"]
    if not quiet:
        print_summary(run, end)
    if end.status == "stopped" and signalled:
        return TERMINATED if signalled == signal.SIGTERM else INTERRUPTED
    return EXIT.get(end.status, 1)


def _choose(run: Run, renderer: Renderer, signals: _Signals) -> str:
    renderer.pause()
    try:
        with signals.waiting():
            click.echo("\nThe run goes on by itself while you decide.")
            answer = read_line("[d]etach, [s]top it and clean up, or Enter to keep watching: ").lower()
    except (_Signalled, EOFError):
        click.echo()
        return "detach"
    if answer.startswith("d"):
        return "detach"
    if answer.startswith("s"):
        renderer.resume()
        return "stop"
    renderer.resume()
    return "watch"


def _stop(run: Run, renderer: Renderer) -> None:
    if not isinstance(renderer, JsonLines):
        renderer.pause()
        click.echo("Stopping; what the run made is being deleted.")
        renderer.resume()
    with contextlib.suppress(WorkflowError):  # it ended in the same moment
        runs.stop(run)


def _say_detached(run: Run, renderer: Renderer) -> None:
    renderer.pause()
    click.echo("Detached; the run goes on.")
    click.echo(f"Come back: mlconsole runs attach {run.id}")
    click.echo(f"Stop it:   mlconsole runs stop {run.id}")


def _ask(run: Run, event: Question, renderer: Renderer, signals: _Signals) -> None:
    """Put a question of the run to the person, unless it was answered already."""
    now = runs.read(run.folder)
    if now.status != "waiting" or (now.question or {}).get("question") != event.question:
        return
    renderer.pause()
    click.echo("\n" + prose(event.text))
    choices = "/".join(choice.upper() if choice == event.default else choice for choice in event.choices)
    try:
        while True:
            with signals.waiting():
                given = read_line(f"[{choices}] ").lower()
            matches = (
                [choice for choice in event.choices if choice.lower().startswith(given)]
                if given
                else [event.default]
            )
            if len(matches) == 1:
                runs.answer(run, event.question, matches[0])
                break
            click.echo(f"Answer {' or '.join(event.choices)}; Enter is {event.default}.")
    except EOFError:
        click.echo(f"\nThe run waits. `mlconsole runs answer {run.id} {'|'.join(event.choices)}` answers it.")
    except _Signalled as came:
        signals.pending = came.number
    except WorkflowError as error:
        click.echo(str(error))  # somebody answered elsewhere meanwhile
    renderer.resume()
