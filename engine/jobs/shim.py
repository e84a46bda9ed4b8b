"""The process that owns one job: it outlives the engine, keeps the job's output and writes down how the job ended.

Pure standard library and few modules of it, started by an interpreter without site-packages: every job waits for it. Everything it says, it says in files of the job's
directory: ``shim.json`` (who it is), ``output`` (the job's lines, each with the time it came), ``exit.json`` (the end).
SIGTERM stops the job: SIGTERM to the job's process group, SIGKILL after the grace period.
"""

# ruff: noqa: PTH105, PTH110, PTH112, PTH123, PTH208, SIM105
from __future__ import annotations

import ctypes
import errno
import fcntl
import marshal
import os
import select
import signal
import sys
import time

from engine.jobs import namespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

MAX_LINE = 262_144 - 26
"""Bytes of one event: CloudWatch Logs takes 256 KB, of which it counts 26 for itself."""
PROGRESS_SECONDS = 5.0
"""How often a progress bar that only returns the carriage becomes a line."""

ALREADY_RUNNING = 3
_PR_SET_CHILD_SUBREAPER = 36


def process_start(pid: int) -> int:
    """When a process started, in clock ticks since boot: with the pid it names one process for good. 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            stat = file.read()
    except OSError:
        return 0
    fields = stat.rpartition(")")[2].split()
    return 0 if fields[0] in ("Z", "X") else int(fields[19])


def write_atomically(path: str, document: Mapping[str, int | float | str]) -> None:
    """Write flat JSON so that a reader sees the whole of it or nothing. (The json module takes longer to load than a job to fork.)"""
    text = ", ".join(f'"{key}": {_json(value)}' for key, value in document.items())
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "w") as file:
        file.write(f"{{{text}}}")
    os.replace(temporary, path)


def _json(value: int | float | str) -> str:
    if not isinstance(value, str):
        return repr(value)
    escaped = (c if " " <= c < "\x7f" and c not in '"\\' else f"\\u{min(ord(c), 0xFFFD):04x}" for c in value)
    return f'"{"".join(escaped)}"'


class Lines:
    """Cuts a byte stream into lines as a terminal would leave them.

    Of a line that returns the carriage, what was written last stays; every few seconds a bar in progress is a line too.
    Lines longer than `MAX_LINE` are cut between characters.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._progress_at = 0.0

    def feed(self, data: bytes, now: float) -> list[bytes]:
        """The lines that ``data`` completes."""
        *whole, rest = (self._rest + data).split(b"\n")
        lines = [piece for line in whole for piece in _cut(_last_state(line))]
        if len(rest) > MAX_LINE:
            *pieces, rest = _cut(_last_state(rest)) or [b""]
            lines += pieces
        done, returned, tail = rest.rpartition(b"\r")
        if returned and tail:
            if now - self._progress_at >= PROGRESS_SECONDS:
                shown = _last_state(done)
                if shown:
                    lines += _cut(shown)
                    self._progress_at = now
            rest = _last_state(done) + b"\r" + tail
        self._rest = rest
        return lines

    def finish(self) -> list[bytes]:
        """The last line, when no newline ended it."""
        rest, self._rest = _last_state(self._rest), b""
        return _cut(rest) if rest else []


def _last_state(line: bytes) -> bytes:
    if b"\r" not in line:
        return line
    for state in reversed(line.split(b"\r")):
        if state.strip():
            return state
    return b""


def _cut(line: bytes) -> list[bytes]:
    pieces = []
    while len(line) > MAX_LINE:
        end = MAX_LINE
        while end > MAX_LINE - 4 and line[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(line[:end])
        line = line[end:]
    return [*pieces, line]


class Shim:
    """One job: start it, keep its output, end it."""

    def __init__(self, root: str, spec: dict[str, Any]) -> None:
        self.root = root
        self.spec = spec
        self.lines = Lines()
        self.output = os.open(f"{root}/output", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.child = 0
        self.status: int | None = None
        self.stopped = ""
        self.kill_at = 0.0

    def run(self) -> None:
        """Start the job, see it to its end and write down the exit."""
        if sys.platform.startswith("linux"):
            # Grandchildren whose parent ends become ours, so that nothing of the job can outlive it.
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        wake, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if hasattr(os, "pipe2") else os.pipe()
        os.set_blocking(waker, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        asked: list[int] = []
        signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for ignored in (signal.SIGHUP, signal.SIGINT):
            signal.signal(ignored, signal.SIG_IGN)
        reader, writer = os.pipe()
        started = time.time()
        error = self._start(reader, writer)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        os.close(writer)
        os.set_blocking(reader, False)
        limit = float(self.spec.get("max_runtime") or 0)
        deadline = time.monotonic() + limit if limit else float("inf")
        open_pipe = True
        while self.status is None and not error:
            now = time.monotonic()
            if not self.stopped and (asked or now >= deadline):
                self._stop("requested" if asked else "max-runtime", now)
            if self.kill_at and now >= self.kill_at:
                self._signal_group(signal.SIGKILL)
                self.kill_at = now + 1
            until = min(deadline if not self.stopped else float("inf"), self.kill_at or float("inf"))
            timeout = None if until == float("inf") else max(0.0, until - now)
            ready, _, _ = select.select([wake, reader] if open_pipe else [wake], [], [], timeout)
            if reader in ready:
                open_pipe = self._read(reader)
            if wake in ready:
                try:
                    os.read(wake, 512)
                except BlockingIOError:
                    pass
                self._reap()
        ended = time.time()
        if self.stopped and not error:
            self._leave_time(reader)
        self._kill_rest()
        self._drain(reader)
        code = -1 if error else os.waitstatus_to_exitcode(self.status or 0)
        document: dict[str, int | float | str] = {
            "code": code,
            "started": started,
            "ended": ended,
            "stopped": self.stopped,
            "error": error,
        }
        write_atomically(f"{self.root}/exit.json", document)

    def _start(self, reader: int, writer: int) -> str:
        """Fork and exec the job; what went wrong, or ""."""
        told, tell = os.pipe()
        self.child = os.fork()
        if self.child == 0:
            try:
                os.close(reader)
                os.close(told)
                self._become_job(writer)
            except BaseException as problem:
                number = getattr(problem, "errno", 0)
                text = (
                    f"{self.spec['argv'][0]}: {os.strerror(number)}"
                    if number == errno.ENOENT
                    else str(problem)
                )
                os.write(tell, text.encode()[:2000] or b"unknown error")
            os._exit(127)
        os.close(tell)
        with os.fdopen(told, "rb") as channel:
            error = channel.read().decode(errors="replace")
        if error:
            os.waitpid(self.child, 0)
        else:
            write_atomically(
                f"{self.root}/job.json",
                {"pid": self.child, "started": process_start(self.child), "time": time.time()},
            )
        return error

    def _become_job(self, writer: int) -> None:
        spec = self.spec
        os.setsid()
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        if spec["namespaces"]:
            namespace.enter(
                self.root,
                spec["hosts"],
                read_only=spec["read_only"],
                isolate_network=spec["isolate_network"],
            )
        try:
            # When memory runs out, a job goes before the engine and the person's shell.
            with open("/proc/self/oom_score_adj", "w") as file:
                file.write("500")
        except OSError:
            pass
        namespace.die_with_parent()
        os.chdir(spec["cwd"])
        os.execvpe(spec["argv"][0], spec["argv"], spec["env"])

    def _stop(self, why: str, now: float) -> None:
        self.stopped = why
        self.kill_at = now + float(self.spec["grace"])
        self._signal_group(signal.SIGTERM)

    def _signal_group(self, number: int) -> None:
        try:
            os.killpg(self.child, number)
        except (ProcessLookupError, PermissionError):
            pass

    def _reap(self) -> bool:
        """Collect what ended; False when there are no children any more."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self.child:
                self.status = status

    def _leave_time(self, reader: int) -> None:
        """A shell dies of SIGTERM at once, the program it started may still be saving: it has the rest of the grace."""
        reading = True
        while time.monotonic() < self.kill_at and self._reap() and self._group_left():
            if reading and select.select([reader], [], [], 0.02)[0]:
                reading = self._read(reader)
            elif not reading:
                time.sleep(0.02)

    def _group_left(self) -> bool:
        """Whether any process is left of those that SIGTERM went to."""
        try:
            os.killpg(self.child, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def _kill_rest(self) -> None:
        """End whatever the job left behind."""
        self._signal_group(signal.SIGKILL)
        limit = time.monotonic() + 5
        while self._reap() and time.monotonic() < limit:
            for pid in _children(os.getpid()):
                try:
                    os.kill(pid, signal.SIGKILL)
                except (ProcessLookupError, PermissionError):
                    pass
            time.sleep(0.005)

    def _read(self, reader: int) -> bool:
        """Take what the pipe holds; False at its end."""
        try:
            data = os.read(reader, 1 << 16)
        except BlockingIOError:
            return True
        self._keep(self.lines.feed(data, time.monotonic()))
        return bool(data)

    def _drain(self, reader: int) -> None:
        limit = time.monotonic() + 2
        while select.select([reader], [], [], 0)[0] and self._read(reader) and time.monotonic() < limit:
            pass
        self._keep(self.lines.finish())

    def _keep(self, lines: list[bytes]) -> None:
        if lines:
            stamp = b"%d " % int(time.time() * 1000)
            try:
                os.write(self.output, b"".join([stamp + line + b"\n" for line in lines]))
            except OSError:  # a full disk costs lines, not the job
                pass


def _children(parent: int) -> list[int]:
    found = []
    for entry in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as file:
                    if int(file.read().rpartition(")")[2].split()[1]) == parent:
                        found.append(int(entry))
            except (OSError, ValueError, IndexError):
                pass
    return found


def main(root: str) -> None:
    """Take the job's lock, leave the starting process behind and run the job that ``root/spec`` describes (`marshal`, written by the same interpreter)."""
    lock = os.open(f"{root}/shim.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(ALREADY_RUNNING)
    if os.path.exists(f"{root}/exit.json") or os.path.exists(f"{root}/job.json"):
        sys.exit(ALREADY_RUNNING)
    with open(f"{root}/spec", "rb") as file:
        spec = marshal.load(file)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    ready, go = os.pipe()
    pid = os.fork()
    if pid:
        # The file is there before the engine sees this process end, and the job starts only after the file is there.
        write_atomically(f"{root}/shim.json", {"pid": pid, "started": process_start(pid)})
        os.write(go, b"1")
        os._exit(0)
    os.close(go)
    if not os.read(ready, 1):
        os._exit(1)
    os.close(ready)
    os.setsid()
    Shim(root, spec).run()


if __name__ == "__main__":
    main(sys.argv[1])
