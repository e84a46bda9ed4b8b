"""What a job leaves behind: model.tar.gz, output.tar.gz, checkpoints, and the reason why it failed."""

from __future__ import annotations

import os
import signal
import stat
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from engine.errors import ServiceError
from engine.jobs import channels, launcher
from engine.jobs.record import FAILURE_LIMIT
from engine.jobs.workspace import checkpoint_folder
from engine.objects import ObjectStore

# Weights hardly compress, and level 6 takes five times as long as level 1.
_LEVEL = 1
# What the built-in algorithms write names its kind itself.
_NAMED = ("ClientError:", "AlgorithmError:")
_TRACEBACK = "Traceback (most recent call last):"


class UploadError(Exception):
    """An artefact that cannot be stored; the message is the job's FailureReason after ``ClientError: ``."""


class Member(NamedTuple):
    """Something below a directory: its path there, the file whose content it has, or the link that it is."""

    name: str
    source: Path
    link: str | None


def members(folder: Path, ml: Path) -> Iterator[Member]:
    """What of a directory goes into an archive, sorted.

    Links that stay inside the directory remain links; links to elsewhere below /opt/ml become what they point to; links that
    leave it, sockets, pipes and devices are left out: an archive carries the job's own files and nothing else.
    """
    top = folder.resolve()
    inside = ml.resolve()
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if not path.is_symlink():
            mode = path.lstat().st_mode
            if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
                yield Member(name, path, None)
            continue
        target = os.readlink(path)  # noqa: PTH115
        # The program's /opt/ml is this job's directory.
        aimed = (
            (inside / os.path.relpath(target, launcher.BASE))
            if _is_below(target, launcher.BASE)
            else path.parent / target
        )
        try:
            real = aimed.resolve(strict=True)
        except (OSError, RuntimeError):
            continue
        if real.is_relative_to(top):
            yield Member(name, path, os.path.relpath(real, path.parent.resolve()))
        elif real.is_relative_to(inside) and real.is_file():
            yield Member(name, real, None)


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")


def archive(folder: Path, ml: Path, target: Path) -> bool:
    """Write a directory as ``tar.gz``; False, and no file, when there is nothing in it."""
    found = list(members(folder, ml))
    if not found:
        return False
    with tarfile.open(target, "w:gz", compresslevel=_LEVEL) as tar:
        for member in found:
            info = tar.gettarinfo(str(member.source), member.name)
            if member.link is not None:
                info.type, info.linkname = tarfile.SYMTYPE, member.link
            elif info.islnk():
                info.type, info.linkname, info.size = tarfile.REGTYPE, "", member.source.stat().st_size
            info.uid = info.gid = 0
            info.uname = info.gname = ""
            if info.isreg():
                with member.source.open("rb") as file:
                    tar.addfile(info, file)
            else:
                tar.addfile(info)
    return True


def artifacts_uri(document: Mapping[str, Any]) -> str:
    """Where a job's model goes, as Describe names it."""
    base = f"{document['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{document['TrainingJobName']}/output/"
    return base + ("model/" if _plain(document) else "model.tar.gz")


def _plain(document: Mapping[str, Any]) -> bool:
    return bool(document["OutputDataConfig"].get("CompressionType") == "NONE")


def upload(root: Path, document: Mapping[str, Any], objects: ObjectStore, *, model: bool = True) -> None:
    """Store model, output and checkpoints. Doing it again gives the same objects, so an interrupted upload is repeated.

    Args:
        model: Whether the model is wanted; a failed job's is not.

    Raises:
        UploadError: The bucket is gone or the disk is full.
    """
    ml = root / "ml"
    bucket, prefix = channels.split_uri(document["OutputDataConfig"]["S3OutputPath"])
    base = "/".join(part for part in (prefix.strip("/"), document["TrainingJobName"], "output") if part)
    try:
        if not objects.bucket_exists(bucket):
            raise UploadError(
                f"Artifact upload failed: the bucket '{bucket}' of S3OutputPath does not exist."
            )
        for folder, name in ((ml / "model", "model"), (ml / "output" / "data", "output")):
            if name == "model" and not model:
                continue
            if _plain(document):
                _upload_plain(folder, ml, objects, bucket, f"{base}/{name}/")
                continue
            packed = root / f"{name}.tar.gz"
            if archive(folder, ml, packed):
                objects.put_file(bucket, f"{base}/{name}.tar.gz", packed, "application/x-tar")
        checkpoints = checkpoint_folder(ml, document)
        if checkpoints is not None:
            into, key = channels.split_uri(document["CheckpointConfig"]["S3Uri"])
            _upload_plain(checkpoints, ml, objects, into, f"{key.rstrip('/')}/" if key else "")
    except (OSError, ServiceError) as error:
        raise UploadError(f"Artifact upload failed: {error}") from error


def _upload_plain(folder: Path, ml: Path, objects: ObjectStore, bucket: str, prefix: str) -> None:
    for member in members(folder, ml):
        if member.source.is_file():
            objects.put_file(bucket, prefix + member.name, member.source.resolve())


def failure_reason(ml: Path, code: int, lines: Sequence[str]) -> str:
    """FailureReason of a program that ended with ``code`` (negative: by that signal).

    What it wrote to /opt/ml/output/failure, else the end of the last traceback in its log; as an AlgorithmError, unless the
    text itself says that it is a ClientError.

    Args:
        lines: The last lines of the log.
    """
    status = code if code >= 0 else 128 - code
    text = ""
    try:
        with (ml / "output" / "failure").open("rb") as file:
            text = file.read(4 * FAILURE_LIMIT).decode(errors="replace")[:FAILURE_LIMIT].strip()
    except OSError:
        pass
    if not text:
        text = traceback_end(lines)
    if not text and code < 0:
        name = signal.Signals(-code).name if -code in signal.valid_signals() else f"signal {-code}"
        more = "; the machine may have run out of memory" if -code == signal.SIGKILL else ""
        text = f"the program was ended by {name}{more}"
    tail = f", exit code: {status}"
    if not text.startswith(_NAMED):
        text = f"AlgorithmError: {text}"
    return text[: FAILURE_LIMIT - len(tail)] + tail


def traceback_end(lines: Sequence[str]) -> str:
    """The last raising line and the exception of the last traceback, as the training toolkit reports them; "" without one."""
    start = next((i for i in range(len(lines) - 1, -1, -1) if lines[i].strip() == _TRACEBACK), None)
    if start is None:
        return ""
    end = start + 1
    while end < len(lines) and (lines[end].startswith((" ", "\t")) or not lines[end].strip()):
        end += 1
    raised = next(
        (line.strip() for line in reversed(lines[start + 1 : end]) if line.strip().strip("^~ ")), ""
    )
    message = []
    for line in lines[end : end + 20]:
        message.append(line)
        if line == _TRACEBACK:
            break
    return "\n ".join(part for part in (raised, "\n".join(message).strip()) if part)
