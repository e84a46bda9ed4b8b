"""Whether the embedded SageMaker may know something new, told without a call."""

from __future__ import annotations

from pathlib import Path

from workflows import locations, processes

Seen = tuple[int, int, int]


class Stamp:
    """Of a data directory: another value than before when its engine has written to its store, was replaced or has died.

    A look is a handful of cheap system calls, where a request costs both processes 3 ms together: so a quiet console can ask rarely and
    still see within two seconds what another process does.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._connection: Seen | None = None
        self._pid = 0

    def __call__(self) -> object:
        folder = self._folder or locations.engine_dir()
        connection = _seen(folder / "connection.json")
        if connection != self._connection:
            # Its HTTP client takes 8 ms, which are not spent before the first picture.
            from workflows import embedded

            self._connection, found = connection, embedded.recorded(folder)
            self._pid = found.pid if found else 0
        return (
            connection,
            processes.started(self._pid),
            _seen(folder / "store.db-wal"),
            _seen(folder / "store.db"),
        )


def _seen(path: Path) -> Seen | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino
