"""Source archives as the script-mode contract wants them."""

from __future__ import annotations

import gzip
import tarfile
from pathlib import Path


def pack_source(folder: Path, archive: Path) -> Path:
    """Packs the files of a folder into a tar.gz, the folder's content at its root; equal sources give equal bytes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    with (
        archive.open("wb") as raw,
        gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        for path in files:
            info = tar.gettarinfo(str(path), arcname=path.relative_to(folder).as_posix())
            info.uid = info.gid = 0
            info.uname = info.gname = ""
            info.mtime = 0
            with path.open("rb") as content:
                tar.addfile(info, content)
    return archive


def unpack(archive: Path, folder: Path) -> Path:
    """Unpacks a tar.gz below a folder; members that would leave it are refused."""
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder
