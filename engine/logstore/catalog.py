"""The names of log groups and streams: a small SQLite file beside the streams' files."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from engine.logstore.file import StreamFile

_SCHEMA = """
CREATE TABLE IF NOT EXISTS groups (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE NOT NULL, created INTEGER NOT NULL,
  document TEXT NOT NULL DEFAULT '{}');
CREATE TABLE IF NOT EXISTS streams (id INTEGER PRIMARY KEY AUTOINCREMENT, group_id INTEGER NOT NULL, name TEXT NOT NULL,
  created INTEGER NOT NULL, starts TEXT NOT NULL DEFAULT '[0]', UNIQUE (group_id, name));
"""


@dataclass(slots=True)
class Stream:
    """A log stream; ``file`` is loaded when first asked for. Times in milliseconds."""

    id: int
    name: str
    created: int
    path: Path
    starts: list[int]
    loaded: StreamFile | None = None

    @property
    def file(self) -> StreamFile:
        if self.loaded is None:
            self.loaded = StreamFile(self.path, self.starts)
        return self.loaded


@dataclass(slots=True)
class Group:
    """A log group; ``document`` holds what can be set on it (``retentionInDays``, ``tags``, ``kmsKeyId``, ``logGroupClass``)."""

    id: int
    name: str
    created: int
    folder: Path
    document: dict[str, object]
    streams: dict[str, Stream] = field(default_factory=dict)


class Catalog:
    """Groups and their streams, in memory and on disk. Not thread-safe: `LogStore` holds its lock around it."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._root = root
        self._db = sqlite3.connect(root / "index.db", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        self.groups: dict[str, Group] = {}
        by_id: dict[int, Group] = {}
        for number, name, created, document in self._db.execute(
            "SELECT id,name,created,document FROM groups"
        ):
            by_id[number] = self.groups[name] = Group(
                number, name, created, self._folder(number, name), json.loads(document)
            )
        for row in self._db.execute("SELECT id,group_id,name,created,starts FROM streams"):
            number, group_id, name, created, starts = row
            group = by_id[group_id]
            path = group.folder / _file_name(number, name)
            group.streams[name] = Stream(number, name, created, path, json.loads(starts))
        self._sweep()

    def close(self) -> None:
        self._db.close()

    def clear(self) -> None:
        """Delete every group."""
        for name in list(self.groups):
            self.delete_group(name)

    def create_group(self, name: str, created: int, document: dict[str, object]) -> Group:
        """Add a group whose name is free."""
        cursor = self._db.execute(
            "INSERT INTO groups (name, created, document) VALUES (?,?,?)",
            (name, created, json.dumps(document)),
        )
        number = cursor.lastrowid or 0
        group = Group(number, name, created, self._folder(number, name), document)
        group.folder.mkdir(parents=True, exist_ok=True)
        self.groups[name] = group
        return group

    def save_group(self, group: Group) -> None:
        """Write a group's changed document."""
        self._db.execute("UPDATE groups SET document=? WHERE id=?", (json.dumps(group.document), group.id))

    def delete_group(self, name: str) -> None:
        """Delete a group with its streams and files."""
        group = self.groups.pop(name)
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute("DELETE FROM streams WHERE group_id=?", (group.id,))
        self._db.execute("DELETE FROM groups WHERE id=?", (group.id,))
        self._db.execute("COMMIT")
        shutil.rmtree(group.folder, ignore_errors=True)

    def create_stream(self, group: Group, name: str, created: int) -> Stream:
        """Add a stream whose name is free in the group."""
        cursor = self._db.execute(
            "INSERT INTO streams (group_id, name, created) VALUES (?,?,?)", (group.id, name, created)
        )
        number = cursor.lastrowid or 0
        stream = Stream(number, name, created, group.folder / _file_name(number, name), [0])
        group.streams[name] = stream
        return stream

    def save_starts(self, stream: Stream, starts: list[int]) -> None:
        """Record where a stream's extents begin."""
        self._db.execute("UPDATE streams SET starts=? WHERE id=?", (json.dumps(starts), stream.id))

    def delete_stream(self, group: Group, name: str) -> None:
        """Delete a stream and its file."""
        stream = group.streams.pop(name)
        self._db.execute("DELETE FROM streams WHERE id=?", (stream.id,))
        stream.path.unlink(missing_ok=True)

    def _folder(self, number: int, name: str) -> Path:
        return self._root / f"{number}-{_slug(name)}"

    def _sweep(self) -> None:
        """Remove the folders of groups whose deletion a killed engine could not finish."""
        known = {group.folder.name for group in self.groups.values()}
        for folder in self._root.iterdir():
            if folder.is_dir() and folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)


def _file_name(number: int, name: str) -> str:
    return f"{number}-{_slug(name)}.log"


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:120]
