"""Pipe mode: a channel as FIFOs ``/opt/ml/input/data/<channel>_<epoch>``, each of which gives all of the channel's data once.

``python pipes.py DATA FOLDER -- COMMAND``: starts a process that fills the FIFOs, then becomes the command. DATA has a directory per
channel with its objects as files, in the order of their names, and beside it a file ``<channel>.recordio`` when each object is
wrapped in a RecordIO record; FOLDER is where the FIFOs are. The process ends with the job, whose shim ends all that is left.

Pure standard library: it is run by its path, without site-packages.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import struct
import sys
import threading

_MAGIC = 0xCED7230A
_LARGEST = (1 << 29) - 4
_CHUNK = 1 << 20


def make(folder: str, channel: str, epoch: int) -> str:
    """A channel's FIFO for an epoch; its path."""
    path = os.path.join(folder, f"{channel}_{epoch}")  # noqa: PTH118
    with contextlib.suppress(FileExistsError):
        os.mkfifo(path, 0o600)
    return path


def fill(data: str, folder: str, channel: str) -> None:
    """Serve a channel epoch by epoch, for as long as it is read."""
    source = os.path.join(data, channel)  # noqa: PTH118
    files = [os.path.join(source, name) for name in sorted(os.listdir(source))]  # noqa: PTH118, PTH208
    wrapped = os.path.exists(f"{source}.recordio")  # noqa: PTH110
    epoch = 0
    while True:
        path = make(folder, channel, epoch)
        # The next one is there before this one ends: a program may look for it.
        make(folder, channel, epoch + 1)
        # Closed in the middle by its reader: the rest of the epoch is not wanted.
        with contextlib.suppress(BrokenPipeError), open(path, "wb", buffering=0) as pipe:  # noqa: PTH123
            for name in files:
                _send(name, pipe.fileno(), wrapped=wrapped)
        with contextlib.suppress(OSError):
            os.unlink(path)  # noqa: PTH108
        epoch += 1


def _send(name: str, pipe: int, *, wrapped: bool) -> None:
    with open(name, "rb") as file, os.fdopen(os.dup(pipe), "wb", _CHUNK) as out:  # noqa: PTH123
        if not wrapped:
            shutil.copyfileobj(file, out, _CHUNK)
            return
        left = os.fstat(file.fileno()).st_size
        # Parts of a larger one: 1 the first, 2 further ones, 3 the last; 0 is whole.
        part = 1 if left > _LARGEST else 0
        while True:
            size = min(left, _LARGEST)
            left -= size
            kind = part if left or not part else 3
            out.write(struct.pack("<II", _MAGIC, kind << 29 | size))
            for position in range(0, size, _CHUNK):
                out.write(file.read(min(_CHUNK, size - position)))
            out.write(b"\0" * (-size % 4))
            part = 2
            if not left:
                return


def main(arguments: list[str]) -> None:
    """Start filling, and become the command."""
    data, folder = arguments[:2]
    command = arguments[3:]
    channels = [name for name in os.listdir(data) if not name.endswith(".recordio")]  # noqa: PTH208
    for channel in channels:
        make(folder, channel, 0)
    child = os.fork()
    if child == 0:
        # Its parent ends at once, so that the job's program has no child that it did not start.
        if os.fork() == 0:
            signal.signal(signal.SIGPIPE, signal.SIG_IGN)
            threads = [threading.Thread(target=fill, args=(data, folder, name)) for name in channels]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        os._exit(0)
    os.waitpid(child, 0)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(127)


if __name__ == "__main__":
    main(sys.argv[1:])
