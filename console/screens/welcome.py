"""What a person's first console says on Home: three next steps. It takes no key but Esc, and never comes again."""

from __future__ import annotations

from textual.widgets import Static

from console.keymap import key


class Welcome(Static):
    """Some lines above the list of Home."""

    DEFAULT_CSS = "Welcome { display: none; height: auto; padding: 1 2; border-bottom: solid $primary; } Welcome.-shown { display: block; }"

    def __init__(self) -> None:
        super().__init__("", id="welcome", markup=False)

    def show(self, target: str, read_only: bool = False) -> None:
        """Say it, of this target."""
        self.update("\n".join(steps(target, read_only)))
        self.add_class("-shown")

    def dismiss(self) -> bool:
        """Take it away; False when it was not there."""
        there = self.has_class("-shown")
        self.remove_class("-shown")
        return there


def steps(target: str, read_only: bool = False) -> tuple[str, ...]:
    """The lines, with the keys that the actions have; where all is read-only, nothing that starts something."""
    start = f", {key('form.start')}" if key("form.start") and not read_only else ""
    studies = f"Press {key('app.studies')}, Enter{start}"
    what = (
        "a case study: what it does, and its settings"
        if read_only
        else "run a case study: train, check, host, query"
    )
    taken = (
        "the lessons: the same, explained" if read_only else "take a lesson: the same step by step, explained"
    )
    lessons, keys = f"Press {key('app.lessons')}", f"Press {key('app.help')}"
    where = (
        "Welcome. This console is read-only: it looks, and changes nothing."
        if read_only
        else "Welcome. This is your AWS account: what you start there bills."
        if target == "aws"
        else "Welcome. All of it runs on this machine until you choose AWS: nothing bills."
    )
    return (
        where,
        "",
        f"1  {studies:<24}{what}",
        f"2  {lessons:<24}{taken}",
        f"3  {keys:<24}the keys of any screen; : goes anywhere by name",
        "",
        "Esc takes this away.",
    )
