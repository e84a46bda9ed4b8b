"""The option ``targets``: which accounts and regions are looked at side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from workflows.configuration import Configuration, Target

EMBEDDED = "embedded"
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d+")
_FORMS = "Write embedded, PROFILE, PROFILE@REGION or @REGION, with commas between them"


@dataclass(frozen=True, slots=True)
class Entry:
    """A target as it is named: empty texts are found out as every AWS client finds them."""

    target: Target
    profile: str = ""
    region: str = ""

    def __str__(self) -> str:
        """As it is written in the option; ``aws`` for AWS as the environment has it, which has no other name."""
        if self.target == EMBEDDED:
            return EMBEDDED
        return f"{self.profile}@{self.region}" if self.region else self.profile or "aws"

    @property
    def changes(self) -> dict[str, str]:
        """The options that lead there."""
        return {"target": self.target, "profile": self.profile, "region": self.region}

    def of(self, configuration: Configuration) -> Configuration:
        """The configuration with which this target is looked at: that of the person there, and nothing may be changed."""
        there = configuration if self == present(configuration) else replace(configuration, **self.changes)  # type: ignore[arg-type]
        return replace(there, read_only="all")


def parse(text: str) -> tuple[Entry, ...]:
    """The entries of the option, in its order; what is named twice counts once.

    Raises:
        ValueError: Names the entry that is none, and how one is written.
    """
    return tuple(dict.fromkeys(_entry(word.strip()) for word in text.split(",") if word.strip()))


def present(configuration: Configuration) -> Entry:
    """The target that a configuration works with. The embedded SageMaker has one region, whatever is configured."""
    if configuration.target == EMBEDDED:
        return Entry("embedded")
    return Entry("aws", configuration.profile, configuration.region)


def listed(configuration: Configuration) -> tuple[Entry, ...]:
    """What is looked at: the targets of the option; without it the present one and the embedded SageMaker.

    The present one is always among them, and comes first where the option does not name it.
    """
    here = present(configuration)
    named: Sequence[Entry] = parse(configuration.targets) or (Entry("embedded"),)
    return tuple(named) if here in named else (here, *named)


def _entry(word: str) -> Entry:
    profile, at, region = word.rpartition("@") if "@" in word else (word, "", "")
    if profile == EMBEDDED:
        if at:
            raise ValueError(
                f"{word!r} names a region, and the embedded SageMaker has only its own: write embedded"
            )
        return Entry("embedded")
    if at and not _REGION.fullmatch(region):
        raise ValueError(f"{word!r} does not end with a region such as eu-west-1. {_FORMS}")
    if not at and _REGION.fullmatch(profile):
        raise ValueError(f"{word!r} is a region: write @{word} for the present credentials there")
    if any(character.isspace() or character in "\"'[]=;" for character in profile):
        raise ValueError(f"{word!r} is no profile's name. {_FORMS}")
    return Entry("aws", profile, region)
