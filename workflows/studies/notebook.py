"""What a lesson's notebook printed, beside what the same settings give here."""

from __future__ import annotations

from collections.abc import Sequence

from workflows.studies.context import Context

PRESET = "as-in-notebook"


def is_asked(context: Context) -> bool:
    """Whether the run has the notebook's settings."""
    from workflows.studies.catalog import find

    values = find(context.run.study).presets.get(PRESET, {})
    return bool(values) and all(context.value(name) == value for name, value in values.items())


def beside(context: Context, rows: Sequence[tuple[str, float, float | None]]) -> None:
    """Tells a table of (what, the notebook's figure, the figure here), if the run has the notebook's settings."""
    if not is_asked(context):
        return
    told = [
        [what, round(printed, 4), None, None]
        if here is None
        else [what, round(printed, 4), round(here, 4), f"{here - printed:+.4f}"]
        for what, printed, here in rows
    ]
    context.table(context.titled("As in the notebook"), ["", "notebook", "here", "difference"], told)
