"""The filter of every list: ``moons !tuning status:failed``."""

from __future__ import annotations

from collections.abc import Callable, Mapping


def matcher(text: str) -> Callable[[Mapping[str, str]], bool]:
    """A test of a row's fields by a filter: every word must stand in some field, ``!word`` in none, ``field:word`` in that one.

    Case does not matter. A field is named by any beginning of its name.
    """
    wanted: list[tuple[str, str, bool]] = []
    for word in text.lower().split():
        negative = word.startswith("!")
        field, separator, value = word.lstrip("!").partition(":")
        if not separator:
            field, value = "", field
        if value:
            wanted.append((field, value, negative))

    def matches(fields: Mapping[str, str]) -> bool:
        for field, value, negative in wanted:
            texts = (text for name, text in fields.items() if name.startswith(field))
            if any(value in text.lower() for text in texts) is negative:
                return False
        return True

    return matches
