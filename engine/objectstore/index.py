"""The index of buckets, objects and multipart uploads: SQLite, in a file of its own beside the tree.

How a write is atomic although it touches a file and a row: the new content lies complete in ``staging/``; one transaction writes the
object's row and, in ``pending``, the move that is still owed; then the file is moved. A killed engine redoes at its next start what
``pending`` still holds. So the commit of the transaction is the moment at which an object is replaced or gone, wholly.
WAL with ``synchronous=NORMAL``: a killed process loses nothing.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

_SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets (name TEXT PRIMARY KEY, region TEXT NOT NULL, created REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
  bucket TEXT NOT NULL, key BLOB NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL, modified REAL NOT NULL,
  path TEXT NOT NULL, attributes TEXT NOT NULL, PRIMARY KEY (bucket, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pending (id INTEGER PRIMARY KEY, source TEXT NOT NULL, target TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS uploads (
  id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key BLOB NOT NULL, created REAL NOT NULL, attributes TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS uploads_key ON uploads (bucket, key, id);
CREATE TABLE IF NOT EXISTS parts (
  upload TEXT NOT NULL, number INTEGER NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL, modified REAL NOT NULL,
  path TEXT NOT NULL, checksums TEXT NOT NULL, PRIMARY KEY (upload, number)
) WITHOUT ROWID;
"""
_CHECKPOINT_EVERY = 1000


class Row(NamedTuple):
    """An object as the index has it; ``path`` is relative to the store, ``attributes`` the JSON of `Attributes`."""

    key: bytes
    size: int
    etag: str
    modified: float
    path: str
    attributes: str


class Index:
    """One connection behind one lock; checkpoints run in a thread with a connection of their own, so no commit waits for a disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.lock = threading.RLock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("PRAGMA wal_autocheckpoint=0")
        self._db.executescript(_SCHEMA)
        self._writes = 0
        self._checkpoint: threading.Thread | None = None

    def close(self) -> None:
        """Fold the log into the file and close."""
        if self._checkpoint is not None:
            self._checkpoint.join()
        with self.lock:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction under the lock: committed when the block ends, rolled back when it raises."""
        with self.lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
            self._writes += 1
            if self._writes >= _CHECKPOINT_EVERY and (
                self._checkpoint is None or not self._checkpoint.is_alive()
            ):
                self._writes = 0
                self._checkpoint = threading.Thread(target=self._fold, name="s3-checkpoint", daemon=True)
                self._checkpoint.start()

    def query(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """All rows of a read."""
        with self.lock:
            return self._db.execute(sql, values).fetchall()

    def first(self, sql: str, values: tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
        """The first row of a read."""
        with self.lock:
            row: tuple[Any, ...] | None = self._db.execute(sql, values).fetchone()
        return row

    def object(self, bucket: str, key: bytes) -> Row | None:
        """The object's row."""
        row = self.first(
            "SELECT key,size,etag,modified,path,attributes FROM objects WHERE bucket=? AND key=?",
            (bucket, key),
        )
        return Row(*row) if row else None

    def range(self, bucket: str, low: bytes, high: bytes | None, limit: int, *, inclusive: bool) -> list[Row]:
        """Up to ``limit`` rows with keys from ``low`` (itself only when inclusive) to below ``high``, in byte order."""
        bound, values = "key >= ?" if inclusive else "key > ?", [bucket, low]
        if high is not None:
            bound += " AND key < ?"
            values.append(high)
        sql = f"SELECT key,size,etag,modified,path,attributes FROM objects WHERE bucket=? AND {bound} ORDER BY key LIMIT ?"
        return [Row(*row) for row in self.query(sql, (*values, limit))]

    def _fold(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None)
        try:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        finally:
            connection.close()


def dump(document: object) -> str:
    """Compact JSON for a column."""
    return json.dumps(document, separators=(",", ":"))
