"""Clients that ask again only after half a minute: their question is worth holding until there is something to tell."""

from __future__ import annotations

import re
from collections.abc import Mapping

HOLD_SECONDS = 20.0
"""How long an answer may be held: the SDKs give up reading after 60 s."""

_SDKS = ("lib/aws-sagemaker-python-sdk", "lib/aws-sagemakercore")
# botocore lists the features that a call uses; B is a waiter, which asks every 30 to 120 s.
_WAITER = re.compile(r"(?:^|\s)m/(?:[^\s,]+,)*B(?:,|\s|$)")


def patient(headers: Mapping[str, str]) -> bool:
    """Whether the request comes from one of the SageMaker SDKs or from a waiter of botocore (headers by lower-case name).

    The workflows' own waiting asks often and reports what it sees: it says ``app/mlconsole`` and is answered at once.
    """
    agent = headers.get("user-agent", "")
    if "app/mlconsole" in agent:
        return False
    return any(sdk in agent.lower() for sdk in _SDKS) or _WAITER.search(agent) is not None
