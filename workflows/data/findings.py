"""What a check or an audit found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    ``what`` is its kind as a short word (``duplicates``), ``where`` the place (``row 12, column Income``; rows are counted
    from 1 below the header), ``text`` the finding in a sentence, ``remedy`` what to do, ``count`` how often it occurs.
    An error makes the data unusable, a warning makes scores doubtful, a note is good to know.
    """

    severity: Severity
    what: str
    where: str
    text: str
    remedy: str = ""
    count: int = 1


def worst(findings: Iterable[Finding]) -> Severity | None:
    """The gravest severity there is, None without findings."""
    found = {finding.severity for finding in findings}
    return next((severity for severity in SEVERITIES if severity in found), None)


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """The errors among findings."""
    return [finding for finding in findings if finding.severity == "error"]


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Gravest first, otherwise in their order."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
