"""What differs between two runs of a study, and what it did to the scores.

For the command line (``mlconsole runs diff``) and for screens that show runs side by side::

    from workflows import comparison, runs

    found = comparison.compare(runs.find("moons-2026"), runs.find("last"))
    found.sentence       # the likely cause, for the top of the screen
    found.differences    # inputs that differ (cause=True) and what followed from them (cause=False)
    found.scores         # metrics side by side, with the difference and whether it is larger than chance makes it
    found.gates          # gates whose verdict changed
    found.steps          # seconds of each step, side by side
    found.a, found.b     # either run: status, seconds, cost on AWS, what is withheld

`compare` reads files and hashes what changed since it last looked: it blocks for some milliseconds to seconds, so call it in a
thread. It raises `workflows.problem.Problem` for runs of different studies. Everything it returns is frozen and plain
(`dataclasses.asdict` makes JSON of it).
"""

from __future__ import annotations

from workflows.comparison.operations import compare
from workflows.comparison.rows import Comparison, Difference, GateChange, Score, Side, StepTimes

__all__ = ["Comparison", "Difference", "GateChange", "Score", "Side", "StepTimes", "compare"]
