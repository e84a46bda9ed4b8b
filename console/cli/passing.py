"""Becomes the engine's own command line. Without click: `mlconsole engine` is on the path of shell prompts and scripts."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

CHANGING = {"reset": "ResetEngine", "stop": "StopEngine"}
"""Verbs that end or delete something, and how the audit log calls that."""
STARTING = {"start", "serve", "env"}
"""Commands that take the engine's own options, so that the configured ones are passed on."""


def become(arguments: Sequence[str]) -> NoReturn:
    """Replace this process by ``python -P -m engine`` with this machine's data directory; what changes something is waited for and noted.

    Raises:
        ConfigurationError: The configuration cannot be used.
    """
    verb = next((argument for argument in arguments[:1]), "")
    if verb in CHANGING and "--help" not in arguments:
        import subprocess

        from workflows.safety.changes import change
        from workflows.safety.origin import came_from

        came_from(f"mlconsole engine {verb}")
        with change(CHANGING[verb], "engine", target="embedded"):
            left = subprocess.run(_command(arguments), check=False).returncode
            if left:
                raise SystemExit(left)
        raise SystemExit(0)
    command = _command(arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, command)


def _command(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-P", "-m", "engine", *completed(list(arguments))]


def completed(arguments: list[str]) -> list[str]:
    """The arguments with the data directory and, for starting commands, the configured options before the given ones."""
    if not arguments or arguments[0].startswith("-"):
        return arguments or ["--help"]
    from workflows import locations
    from workflows.configuration import load

    verb, rest = arguments[0], arguments[1:]
    added: list[str] = []
    if not any(argument == "--data-dir" or argument.startswith("--data-dir=") for argument in rest):
        added += ["--data-dir", str(locations.engine_dir())]
    if verb in STARTING:
        options = load()
        for flag, value in (
            ("--port", options.engine_port),
            ("--account-id", options.engine_account_id),
            ("--access-key", options.engine_access_key),
            ("--secret-key", options.engine_secret_key),
            ("--time-scale", options.engine_time_scale),
        ):
            if value not in (None, ""):
                added += [flag, str(value)]
    return [verb, *added, *rest]
