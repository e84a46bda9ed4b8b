"""Going on with a run that was interrupted, stopped or failed; on AWS after a question that tells what it costs at most."""

from __future__ import annotations

from operator import methodcaller

from console.screens.base import ConsoleScreen
from console.screens.dialogs import ChoiceScreen
from console.screens.run_state import RunState


def can_resume(state: RunState) -> bool:
    """Whether there is something to go on with."""
    return state.finished is not None and state.finished.status in ("interrupted", "stopped", "failed")


def resume(screen: ConsoleScreen, run: str, state: RunState, *, keep: bool) -> None:
    """Resume a run, and attach to it again in the place of its screen."""
    console = screen.console
    if not can_resume(state):
        console.flash(f"{run} is {state.status}: there is nothing to resume.", "wait")
        return

    async def attach_again() -> None:
        await console.pop_screen()
        await console.open_run(run)

    def resumed(_: object) -> None:
        console.flash(f"✓ {run} goes on.")
        if screen.is_current:
            console.run_worker(attach_again(), exit_on_error=True)

    def chosen(choice: str | None) -> None:
        if choice == "Resume it":
            console.flash(f"Resuming {run} …", "dim")
            screen.work(lambda: console.services.resume_run(run), resumed)

    if state.target != "aws":
        chosen("Resume it")
        return
    told = [
        "Steps whose inputs are unchanged are reused; the others run again.",
        _price(screen, state, keep=keep),
    ]
    does = methodcaller("resume_run", run)
    console.push_screen(ChoiceScreen(f"Resume run {run}?", told, ["Cancel", "Resume it"], does=does), chosen)


def _price(screen: ConsoleScreen, state: RunState, *, keep: bool) -> str:
    """What the whole run costs at most: what is reused costs nothing again."""
    from workflows.studies.cost import of_run

    services = screen.console.services
    everything = [*services.studies(), *services.lessons()]
    info = next((one for one in everything if one.name == state.study), None)
    if info is None:
        return "Training and hosting cost their instances' time on AWS."
    return of_run(info, state.parameters).sentence(free=False, keep=keep)
