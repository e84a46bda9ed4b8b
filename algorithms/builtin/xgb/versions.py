"""What differs between the container's versions, by image tag."""

from __future__ import annotations

import re
from typing import NamedTuple

_TAG = re.compile(r"(\d+)\.(\d+)(?:-(\d+))?")
_NEWEST = (3, 2, 0)
_CLOSED = (0, 72, 0)


class Version(NamedTuple):
    """A container's version: of the library (``major``, ``minor``) and of the container itself (``build``)."""

    major: int
    minor: int
    build: int

    @property
    def closed(self) -> bool:
        """The first container, tags 1 and latest of repository ``xgboost``: the library's 0.72, whose source was never published."""
        return tuple(self) == _CLOSED

    @property
    def pickles(self) -> bool:
        """Whether the model is a pickle of the Booster; from 1.3 on it is the library's own format."""
        return self.closed or (self.major, self.minor) < (1, 3)

    @property
    def joins_with_commas(self) -> bool:
        """Whether a CSV answer is one line of comma-separated values and Accept is not looked at (before 1.2-2)."""
        return self.closed or tuple(self) < (1, 2, 2)

    @property
    def takes_silent(self) -> bool:
        """Whether the hyperparameter ``silent`` exists."""
        return self.closed

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}" if self.closed else f"{self.major}.{self.minor}-{self.build}"


def of(tag: str) -> Version:
    """The version that a tag names: ``1.7-1``, ``0.90-2-cpu-py3``, ``1`` and ``latest``; the newest for none and for unknown ones."""
    if tag in ("1", "latest") or tag.startswith("0.72"):
        return Version(*_CLOSED)
    found = _TAG.match(tag)
    if found is None:
        return Version(*_NEWEST)
    return Version(int(found[1]), int(found[2]), int(found[3] or 1))
