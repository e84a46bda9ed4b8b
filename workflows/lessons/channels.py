"""What a lesson's model is trained on: files by set, and the channels that they are uploaded to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from algorithms.reviews import bag
from workflows.builtin.request import ChannelInput
from workflows.files import sha256
from workflows.lessons import subject
from workflows.studies.context import Context


@dataclass(frozen=True, slots=True)
class Files:
    """What was written for a subject: one file a set (labels in ``train`` and ``validation``), and the vocabulary that counts a review's
    words (None where the model reads reviews itself, or houses)."""

    paths: dict[str, Path]
    content_type: str
    vocabulary: bag.Vocabulary | None = None

    @property
    def hashes(self) -> dict[str, str]:
        """A hash per set, and the vocabulary's version where there is one."""
        found = {f"{name}_sha256": sha256(path) for name, path in self.paths.items()}
        return found | ({"vocabulary": self.vocabulary.version} if self.vocabulary else {})

    def record(self) -> dict[str, Any]:
        """What a step's outputs say of them; `recorded` makes them of it again."""
        return {
            **self.hashes,
            "content_type": self.content_type,
            "files": {name: path.name for name, path in self.paths.items()},
        }


def recorded(found: Mapping[str, Any], folder: Path) -> Files:
    """The files of a `Files.record` below a folder."""
    vocabulary = bag.load(folder / subject.VOCABULARY) if "vocabulary" in found else None
    return Files(
        {name: folder / file for name, file in found["files"].items()}, found["content_type"], vocabulary
    )


def upload(
    context: Context, files: Mapping[str, Path], content_type: str, folder: str = "data"
) -> tuple[ChannelInput, ...]:
    """Uploads the channels train and validation below ``folder`` of the run's prefix; all jobs on the same rows share them."""
    found = []
    context.ledger.made("objects", context.prefix)
    for channel in ("train", "validation"):
        uri = context.interface.upload(files[channel], f"{context.prefix}/{folder}/{channel}")
        context.artifact("object", files[channel].name, uri, sha256(files[channel]))
        found.append(ChannelInput(name=channel, uri=uri, content_type=content_type))
    return tuple(found)
