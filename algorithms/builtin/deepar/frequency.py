"""The spacing of a time series, and where its points lie in time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from algorithms.builtin.failures import ClientError

_FORM = re.compile(r"([0-9]*)(M|W|D|H|min)")
_MINUTES: Final = {"W": 7 * 24 * 60, "D": 24 * 60, "H": 60, "min": 1}
_EPOCH: Final = datetime(1970, 1, 1)

MONTH: Final = "M"


@dataclass(frozen=True, slots=True)
class Frequency:
    """``time_freq``: every ``multiple`` months (M), weeks (W), days (D), hours (H) or minutes (min)."""

    multiple: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> Frequency:
        """``5min``, ``2H``, ``D``.

        Raises:
            ClientError: It is no frequency, or its multiple is 0.
        """
        found = _FORM.fullmatch(text.strip())
        multiple = int(found[1] or 1) if found and len(found[1]) < 10 else 0
        if found is None or multiple < 1:
            raise ClientError(
                f"time_freq {text!r} is not a frequency: use M, W, D, H or min, with a multiple before it if wanted, as in 5min."
            )
        return cls(multiple, found[2])

    def __str__(self) -> str:
        return f"{self.multiple if self.multiple > 1 else ''}{self.unit}"

    @property
    def step(self) -> int:
        """What lies between two points, in minutes; in months when the unit is M."""
        return self.multiple * _MINUTES.get(self.unit, 1)

    def origin(self, start: datetime) -> int:
        """A series' first point in minutes (months when the unit is M) since 1970; what is smaller is cut off."""
        if self.unit == MONTH:
            return (start.year - 1970) * 12 + start.month - 1
        return int((start - _EPOCH).total_seconds() // 60)


def timestamp(value: Any) -> datetime:
    """The moment that ``start`` names: ``YYYY-MM-DD HH:MM:SS``, or another ISO 8601 form without time zone.

    Raises:
        ValueError: It is none; the message says what is wanted.
    """
    if not isinstance(value, datetime):
        if not isinstance(value, str):
            raise ValueError("must be a string of the form YYYY-MM-DD HH:MM:SS")
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError as error:
            raise ValueError(f"{value[:40]!r} is not of the form YYYY-MM-DD HH:MM:SS") from error
    if value.tzinfo is not None:
        raise ValueError("must not contain time zone information; use the form YYYY-MM-DD HH:MM:SS")
    found: datetime = value
    return found
