"""A training job as a built-in algorithm sees it: its channels, its hyperparameters, where the model goes."""

from __future__ import annotations

import json
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from algorithms.builtin.failures import ClientError, unexpected

SEED = "MLCONSOLE_RANDOM_SEED"

GZIP = b"\x1f\x8b"
PACKED = "is compressed with gzip. Set the channel's CompressionType to Gzip, or upload the file unpacked"
"""What is said of a file that begins with `GZIP` where text, recordIO or Parquet is wanted."""


_LAUNCHERS = frozenset({"code", "sm_drivers"})
"""Channels that the SDK's launchers add; an algorithm does not look at them."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One input channel.

    Attributes:
        folder: The directory with its files (``/opt/ml/input/data/<name>``).
        content_type: As given in the request, "" when nothing was said.
    """

    name: str
    folder: Path
    content_type: str

    def files(self) -> list[Path]:
        """The data files, sorted by path; hidden ones, ``_SUCCESS`` markers and manifests are left out.

        Raises:
            ClientError: There are none.
        """
        found = sorted(
            path
            for path in self.folder.rglob("*")
            if path.is_file()
            and not path.name.startswith((".", "_"))
            and not any(part.startswith(".") for part in path.relative_to(self.folder).parts)
        )
        if not found:
            raise ClientError(
                f"No data in channel '{self.name}': /opt/ml/input/data/{self.name} holds no file. Check the S3Uri of the channel's data source."
            )
        return found


@dataclass(frozen=True, slots=True)
class Job:
    """What the container was told.

    Attributes:
        hyperparameters: Texts as in ``hyperparameters.json``, not yet parsed.
        tag: The image's tag; "" when it had none.
        cpus: How many processors the job may use.
        seed: What everything random begins with: of the job's name, so that jobs differ as on AWS and a job that is tried
            again does not; the environment variable ``MLCONSOLE_RANDOM_SEED`` repeats another job's.
    """

    name: str
    repository: str
    tag: str
    hyperparameters: dict[str, Any]
    channels: dict[str, Channel]
    model_dir: Path
    output_dir: Path
    checkpoint_dir: Path
    cpus: int
    seed: int = 0

    def allow(self, *names: str) -> None:
        """Refuse channels of other names, which would be left unread.

        Raises:
            ClientError: There is one.
        """
        unknown = set(self.channels) - set(names) - _LAUNCHERS
        if unknown:
            raise ClientError(
                "Unable to initialize the algorithm. Failed to validate input data configuration. (caused by ValidationError)\n\n"
                f"Caused by: {unexpected(unknown)}. The channels of this algorithm are: {', '.join(names)}."
            )

    def channel(self, name: str) -> Channel:
        """A channel that must be there.

        Raises:
            ClientError: It is not.
        """
        if name not in self.channels:
            listed = ", ".join(sorted(self.channels)) or "none"
            raise ClientError(
                f"Missing required channel '{name}'. The job's channels are: {listed}. Add a channel '{name}' to InputDataConfig."
            )
        return self.channels[name]


def read(base: Path, repository: str, tag: str, *, name: str, cpus: int) -> Job:
    """The job whose directory (SageMaker's ``/opt/ml``) is ``base``.

    Raises:
        ClientError: Its configuration cannot be read.
    """
    config = base / "input" / "config"
    inputs = _load(config / "inputdataconfig.json")
    data = base / "input" / "data"
    channels = {
        channel: Channel(channel, data / channel, str(entry.get("ContentType", "")))
        for channel, entry in inputs.items()
    }
    return Job(
        name=name,
        repository=repository,
        tag=tag,
        hyperparameters=_load(config / "hyperparameters.json"),
        channels=channels,
        model_dir=base / "model",
        output_dir=base / "output" / "data",
        checkpoint_dir=base / "checkpoints",
        cpus=cpus,
        seed=_seed(name),
    )


def _seed(name: str) -> int:
    given = os.environ.get(SEED, "").strip()
    if not given:
        return zlib.crc32(name.encode())
    if not (given.isascii() and given.isdigit() and int(given) < 2**32):
        raise ClientError(
            f"{SEED} is {given!r}. Set it to a whole number from 0 to 4294967295, or leave it out."
        )
    return int(given)


def _load(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ClientError(f"The job's configuration {path.name} cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise ClientError(f"The job's configuration {path.name} is not an object.")
    return value
