"""Why a built-in algorithm gives up: the customer's fault or its own."""

from __future__ import annotations

from collections.abc import Iterable


def unexpected(names: Iterable[str]) -> str:
    """A JSON schema validator's text for names that it does not know."""
    listed = sorted(names)
    said = ", ".join(map(repr, listed))
    return (
        f"Additional properties are not allowed ({said} {'was' if len(listed) == 1 else 'were'} unexpected)"
    )


class ClientError(Exception):
    """The customer's data or settings cannot be used; the message names the thing, where it is, and the remedy.

    The job's FailureReason is ``ClientError: <message>, exit code: 2``, as SageMaker's first-party containers report it.
    """

    kind = "ClientError"
    code = 2


class AlgorithmError(Exception):
    """Training could not go on for a reason of its own, for example a loss that is not finite any more.

    The job's FailureReason is ``AlgorithmError: <message>, exit code: 1``.
    """

    kind = "AlgorithmError"
    code = 1
