"""A process with an /opt/ml of its own: by namespaces where the kernel allows them, else by rewriting paths.

This keeps honest programs apart; it does not hold a hostile one of the same user.
"""

from __future__ import annotations

import functools
import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from engine.jobs import namespace

BASE = namespace.BASE
NO_NAMESPACES = "MLCONSOLE_NO_NAMESPACES"
_SCRIPT = namespace.__file__


class Launch(NamedTuple):
    """What to start. ``base`` is where the process finds what SageMaker calls /opt/ml."""

    argv: list[str]
    env: dict[str, str]
    base: str


def prepare(
    command: Sequence[str],
    env: Mapping[str, str],
    root: Path,
    *,
    hosts: Sequence[str] = ("algo-1",),
    isolate_network: bool = False,
    die_with_parent: bool = False,
) -> Launch:
    """The command line and environment that run ``command`` with ``root/ml`` as its /opt/ml.

    Without namespaces /opt/ml is replaced by ``root/ml`` in every argument and variable, and SAGEMAKER_BASE_DIR names it.

    Args:
        root: The process's own directory; ``root/ml`` must exist.
        hosts: Names that resolve to loopback addresses, 127.0.0.1 for the first (with namespaces only).
        isolate_network: No network but loopback (with namespaces only).
        die_with_parent: Killed when the starting process dies (Linux).
    """
    base = root.absolute() / "ml"
    if not namespaces_allowed():
        return Launch(
            [rewritten(item, base) for item in command],
            {
                **{name: rewritten(value, base) for name, value in env.items()},
                "SAGEMAKER_BASE_DIR": str(base),
            },
            str(base),
        )
    options = ["--hosts", ",".join(hosts)]
    if isolate_network:
        options.append("--isolate-network")
    if die_with_parent:
        options.append("--die-with-parent")
    wrapper = [sys.executable, "-I", "-S", _SCRIPT, *options, str(root.absolute()), "--"]
    return Launch([*wrapper, *command], dict(env), BASE)


def rewritten(text: str, base: Path | str) -> str:
    """``text`` with /opt/ml replaced by ``base``, where it is that directory and not the start of a longer name."""
    if BASE not in text:
        return text
    pieces = text.split(BASE)
    done = [pieces[0]]
    for before, after in itertools.pairwise(pieces):
        inside = (
            before[-1:].isalnum()
            or before[-1:] in ("_", "-")
            or after[:1].isalnum()
            or after[:1] in ("_", "-")
        )
        done.append((BASE if inside else str(base)) + after)
    return "".join(done)


def namespaces_allowed() -> bool:
    """Whether a process here can have its own /opt/ml by namespaces: tried once, in a process that is thrown away."""
    return os.environ.get(NO_NAMESPACES, "") in ("", "0") and _probe()


@functools.cache
def _probe() -> bool:
    if not sys.platform.startswith("linux"):
        return False
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "ml", "probe").mkdir(parents=True)
        # A plain program after the switch: what is asked is whether /opt/ml is ours there.
        command = [sys.executable, "-I", "-S", _SCRIPT, folder, "--", "test", "-d", f"{BASE}/probe"]
        try:
            return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False
