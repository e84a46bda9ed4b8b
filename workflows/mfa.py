"""Roles that an AWS profile assumes with the code of an MFA device.

botocore asks for the code with `getpass`, in whichever thread signs the first call: within the console that would write over the screen
and take its keys. So it is asked for only where a command has said that somebody is there to answer, and the session of the role is
kept where the AWS CLI keeps its own: who has given the code once is not asked again until it expires, on no screen and in no run.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from workflows.problem import Problem

SESSIONS = Path("~/.aws/cli/cache")
"""The AWS CLI's cache of assumed roles, which botocore names and writes alike."""

_asking: list[Callable[[str], str]] = []


def ask_with(ask: Callable[[str], str]) -> None:
    """From now on a code is asked for so, in this process."""
    _asking[:] = [ask]


def prepare(session: Any) -> None:
    """Let a botocore session find and keep sessions of assumed roles, and ask for codes only where that is possible.

    Its calls raise a `Problem` where a code is needed and nobody can be asked.
    """
    from botocore.utils import JSONFileCache

    provider = session.get_component("credential_provider").get_provider("assume-role")
    provider.cache = JSONFileCache(str(SESSIONS.expanduser()))
    profile = str(session.get_config_variable("profile") or "default")
    provider._prompter = lambda prompt: _code(prompt, profile)


def _code(prompt: str, profile: str) -> str:
    if _asking:
        return _asking[0](prompt)
    raise Problem(
        f"Profile {profile} needs the code of its MFA device.",
        f"Give it in a shell: `aws sts get-caller-identity --profile {profile}`, or `mlconsole doctor --target aws --profile {profile}`; "
        "its session is used here then.",
        "mfa",
    )
