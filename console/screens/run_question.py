"""The question that a run waits with, and its answer."""

from __future__ import annotations

from operator import methodcaller

from console.formatting import status
from console.keymap import key
from console.screens.base import ConsoleScreen
from console.screens.dialogs import ChoiceScreen
from console.screens.run_state import RunState
from workflows.events import Question


def ask(screen: ConsoleScreen, run: str, question: Question, state: RunState) -> None:
    """Ask a run's question, with what its gates say, and give the run the answer."""
    services = screen.console.services

    def chosen(choice: str | None) -> None:
        if choice is None:
            screen.console.flash(f"The run waits. {key('run.answer')} opens the question again.", "wait")
            return
        screen.work(
            lambda: services.answer(run, question.question, choice),
            lambda _: screen.console.flash(f"✓ Answered: {choice}."),
        )

    reasons = [
        f"{status(gate.verdict).glyph} {gate.name}: {gate.reason}"
        for gate in state.gates
        if gate.verdict != "pass"
    ]
    screen.console.push_screen(
        ChoiceScreen(
            question.text,
            reasons,
            question.choices,
            default=question.default,
            does={
                choice: methodcaller("answer", run, question.question, choice) for choice in question.choices
            },
        ),
        chosen,
    )
