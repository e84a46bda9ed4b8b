"""What takes long and loads much, in a process of its own: the caller's keys stay quick and its memory small."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

from workflows.observe.tuning_rows import TrialRow, TuningDetail
from workflows.problem import Problem
from workflows.tuning.importance import Importance

PATIENCE = 300.0
"""Seconds after which the process is given up; thousands of trials take a minute."""


def importance(detail: TuningDetail, trials: Sequence[TrialRow], *, definition: str = "") -> Importance:
    """The same as `workflows.tuning.importance.importance`, on a core of its own where there is one.

    Raises:
        Problem: The process failed.
    """
    given = pickle.dumps((replace(detail, raw={}), tuple(trials), definition))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "workflows.tuning.apart"],
            input=given,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
    except subprocess.TimeoutExpired as error:
        raise Problem("What matters could not be worked out in time.", "Try it when the machine is less busy.", "slow") from error  # fmt: skip
    if done.returncode:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise Problem(f"What matters could not be worked out: {last[0]}", "`mlconsole doctor` tells what is installed.", "failed")  # fmt: skip
    result: Importance = pickle.loads(done.stdout)
    return result


def main() -> None:
    """Read the question from standard input, write the answer to standard output."""
    from workflows.tuning import importance as here

    detail, trials, definition = pickle.load(sys.stdin.buffer)
    sys.stdout.buffer.write(pickle.dumps(here.importance(detail, trials, definition=definition)))


if __name__ == "__main__":
    main()
