"""Changes of what is kept on this machine: runs, replays, A/B tests, data sets. Checked and written down as AWS calls are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from workflows.safety import auditlog, permission, rehearsal

SERVICE = "mlconsole"


@contextmanager
def change(
    operation: str,
    resource: str = "",
    parameters: Mapping[str, Any] | None = None,
    *,
    target: str = "",
    profile: str = "",
    calls: Iterable[tuple[str, str, Mapping[str, Any] | None]] = (),
) -> Iterator[None]:
    """What a ``with`` block does is a change of ``resource``: refused in read-only mode, not done in a rehearsal, and in the audit log.

    Args:
        operation: What is done, as AWS would name it: ``StartRun``.
        target: Where what it stands for lives; empty: on this machine only.
        calls: AWS calls (service, operation, parameters) that are known before, for a rehearsal: those without parameters are left out.

    Raises:
        Problem: Changes are forbidden there.
        Rehearsed: This is a rehearsal.
    """
    where: dict[str, Any] = {"target": target, "profile": profile}
    playing = rehearsal.current()
    if playing is not None:
        playing.note(SERVICE, operation, parameters or {}, resource)
        for service, name, given in calls:
            if given is not None:
                playing.note(service, name, given)
        playing.stop(f"What {operation} goes on to do is known only when it is done.")
    try:
        permission.check(f"{operation} {resource}".strip(), target, profile)
    except Exception as error:
        auditlog.end(
            auditlog.begin(SERVICE, operation, resource, parameters, **where), "read-only", str(error)
        )
        raise
    noted = auditlog.begin(SERVICE, operation, resource, parameters, **where)
    try:
        yield
    except BaseException as error:
        code = f"exit {error.code}" if isinstance(error, SystemExit) else str(getattr(error, "code", ""))
        auditlog.end(noted, code or type(error).__name__, str(error))
        raise
    auditlog.end(noted)
