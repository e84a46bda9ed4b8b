"""Checkpoints: the model after each round, from which a job with the same CheckpointConfig goes on."""

from __future__ import annotations

import json
import os
import posixpath
import re
from pathlib import Path
from typing import Any

_NAME = "xgboost-checkpoint"
_FILE = re.compile(rf"{_NAME}\.(\d+)$")
_KEPT = 5


def directory(base: Path) -> Path | None:
    """Where the job whose directory (SageMaker's ``/opt/ml``) is ``base`` keeps checkpoints, None without a CheckpointConfig."""
    try:
        config = json.loads((base / "input" / "config" / "checkpointconfig.json").read_text())
    except (OSError, ValueError):
        return None
    local = str(config.get("LocalPath") or "/opt/ml/checkpoints")
    return base / posixpath.relpath(local, "/opt/ml") if local.startswith("/opt/ml/") else Path(local)


def latest(folder: Path | None) -> tuple[Path | None, int]:
    """The newest checkpoint, and how many rounds it has."""
    if folder is None or not folder.is_dir():
        return None, 0
    found = [
        (int(match[1]), path)
        for path in folder.iterdir()
        if (match := _FILE.match(path.name)) and path.is_file()
    ]
    if not found:
        return None, 0
    number, path = max(found)
    return path, number + 1


def save(model: Any, folder: Path, number: int) -> None:
    """Write the checkpoint of a round (from 0) and forget those of long ago."""
    folder.mkdir(parents=True, exist_ok=True)
    write(model, folder / f"{_NAME}.{number}")
    (folder / f"{_NAME}.{number - _KEPT}").unlink(missing_ok=True)


def write(model: Any, path: Path) -> None:
    """Save a model in the library's own format; the file is there whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    temporary.write_bytes(model.save_raw("ubj"))
    temporary.replace(path)
