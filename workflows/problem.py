"""What went wrong, told as a sentence with a next step."""

from __future__ import annotations

from typing import Any


class Problem(Exception):
    """A failure that a person can act on.

    Args:
        sentence: What happened, naming the thing, with a full stop.
        remedy: What to do next, as a sentence; empty when there is nothing to do but wait.
        code: The AWS error code, or a short word such as ``unreachable`` where no answer came.
    """

    def __init__(self, sentence: str, remedy: str = "", code: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.remedy = remedy
        self.code = code

    def __str__(self) -> str:
        return f"{self.sentence} {self.remedy}".strip()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Problem) and self.as_dict() == other.as_dict()

    def __hash__(self) -> int:
        return hash((self.sentence, self.remedy, self.code))

    def __reduce__(self) -> tuple[Any, ...]:
        return (Problem, (self.sentence, self.remedy, self.code))

    def as_dict(self) -> dict[str, str]:
        """As ``--json`` prints it."""
        return {"error": self.sentence, "remedy": self.remedy, "code": self.code}
