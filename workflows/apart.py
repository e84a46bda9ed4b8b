"""What takes long and loads much, in a process of its own: the caller's keys stay quick and its memory small."""

from __future__ import annotations

import importlib
import os
import pickle
import subprocess
import sys
from typing import Any

from workflows.problem import Problem

PATIENCE = 300.0
"""Seconds after which the process is given up."""


def worked_out(what: str, function: str, *arguments: Any, **named: Any) -> Any:
    """The result of a function of this package, on a core of its own where there is one.

    Args:
        what: What is worked out, as the beginning of a sentence.
        function: ``module:name``; it and its arguments can be pickled.

    Raises:
        Problem: The function raised one, or the process failed.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "workflows.apart", function],
            input=pickle.dumps((arguments, named)),
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
    except subprocess.TimeoutExpired as error:
        raise Problem(f"{what} could not be worked out in time.", "Try it when the machine is less busy.", "slow") from error  # fmt: skip
    if done.returncode:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise Problem(f"{what} could not be worked out: {last[0]}", "`mlconsole doctor` tells what is installed.", "failed")  # fmt: skip
    result = pickle.loads(done.stdout)
    if isinstance(result, Problem):
        raise result
    return result


def main() -> None:
    """Read the arguments from standard input, write the result to standard output."""
    module, _, name = sys.argv[1].partition(":")
    arguments, named = pickle.load(sys.stdin.buffer)
    try:
        result = getattr(importlib.import_module(module), name)(*arguments, **named)
    except Problem as problem:
        result = problem
    sys.stdout.buffer.write(pickle.dumps(result))


if __name__ == "__main__":
    main()
