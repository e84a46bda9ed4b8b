"""Records the demonstration that ships: ``python docs/screens/demo.py``.

It opens the installed console in a home of its own, starts the moons study from its menu on synthetic data, watches it, and looks at what it has made. What is
shown really happens on the embedded SageMaker; only long pauses are cut when it is played.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from console.pseudoterminal import PseudoTerminal, console_command
from console.recording.cast import read

DEMO = Path(__file__).parents[2] / "console" / "recording" / "demo.cast.gz"
SIZE = (100, 30)
TITLE = "mlconsole: the moons case study, from the menu to the result"
LONGEST_PAUSE = 1.5
DEADLINE = 300.0
_ESCAPES = re.compile(r"\x1b\[[0-9;?:]*[A-Za-z]")


class Person:
    """Looks and presses keys."""

    def __init__(self, terminal: PseudoTerminal) -> None:
        self._terminal = terminal
        self._seen = ""

    def look(self, seconds: float) -> None:
        """Look on for some time."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                self._seen += os.read(self._terminal.descriptor, 1 << 16).decode("utf-8", "replace")
            except BlockingIOError:
                time.sleep(0.02)
            except OSError:
                return

    def see(self, *texts: str) -> None:
        """Look until one of these texts has come since the last key."""
        until = time.monotonic() + DEADLINE
        while not any(text in _ESCAPES.sub("", self._seen) for text in texts):
            if time.monotonic() > until or self._terminal.ended():
                raise SystemExit(f"never seen: {texts}. The end: {_ESCAPES.sub('', self._seen)[-1500:]}")
            self.look(0.2)

    def press(self, keys: str, pause: float = 1.2) -> None:
        """Press keys, and look what they do."""
        self._seen = ""
        os.write(self._terminal.descriptor, keys.encode())
        self.look(pause)


def main() -> int:
    """Record, tidy and put in place; the file that was there stays until then."""
    with tempfile.TemporaryDirectory(prefix="mlconsole-demo-", ignore_cleanup_errors=True) as folder:
        made = Path(folder) / "demo.cast.gz"
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "HOME")}
        environment = {
            "LANG": "C.UTF-8", **kept, "MLCONSOLE_HOME": f"{folder}/mlconsole", "TERM": "xterm-256color", "TEXTUAL_FPS": "10", "COLORTERM": "truecolor",
            "MLCONSOLE_MOUSE": "off", "MLCONSOLE_THEME": "dark", "AWS_EC2_METADATA_DISABLED": "true",
        }  # fmt: skip
        command = console_command(["record", str(made)])
        engine = [sys.executable, "-P", "-m", "console", "engine"]
        subprocess.run([*engine, "start"], env=environment, check=True, stdout=subprocess.DEVNULL)
        try:
            terminal = PseudoTerminal(command, environment, SIZE)
            os.set_blocking(terminal.descriptor, False)
            try:
                tour(Person(terminal), lambda: ended(environment))
            finally:
                terminal.close()
        finally:
            subprocess.run([*engine, "stop"], env=environment, check=False, stdout=subprocess.DEVNULL)
        recording = read(made)
        # Only pictures are kept: when and on which terminal it was made is nobody's business.
        header = {
            "version": 2,
            "width": SIZE[0],
            "height": SIZE[1],
            "idle_time_limit": LONGEST_PAUSE,
            "title": TITLE,
        }
        text = (
            json.dumps(header)
            + "\n"
            + "".join(event.line() for event in recording.events if event.code == "o")
        )
        DEMO.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{DEMO}: {DEMO.stat().st_size:,} bytes, {recording.seconds:.0f} s")
    return 0


def ended(environment: dict[str, str]) -> bool:
    """Whether the newest run has ended."""
    asked = console_command(["runs", "ls", "--json"])
    told = subprocess.run(asked, env=environment, check=True, capture_output=True, text=True).stdout
    return json.loads(told)[0]["status"] not in ("starting", "running", "waiting", "stopping")


def tour(person: Person, ended: Callable[[], bool]) -> None:
    """What is shown."""
    person.see("live")
    person.look(1.5)
    person.press("4", 2)
    person.see("moons")
    person.press("\r", 2)
    person.press("\x13")
    person.see("accuracy")
    while not ended():
        person.look(2)
    person.look(2)
    for _ in range(3):
        person.press("\t", 2)
    person.press("2", 1.5)
    person.see("Completed")
    person.look(1.5)
    person.press("\r", 3)
    person.press("\t", 2)
    person.press("\t", 2.5)
    person.press("1", 2)
    person.press("q", 1.5)


if __name__ == "__main__":
    sys.exit(main())
