"""Copying: what is sent to the terminal, through which multiplexers, and what happens to a text that is too long."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

from console import clipboard
from console.app import make_app
from tests.console.conftest import until
from tests.console.scripted import Scripted

MOONS = "\x1b]52;c;" + base64.b64encode(b"moons").decode() + "\x07"


def passed_by_screen(text: str) -> str:
    """What GNU screen passes on: the contents of its strings, which must fit its buffer."""
    pieces = re.findall(r"\x1bP(.*?)\x1b\\(?=\x1bP|\Z)", text, re.DOTALL)
    assert "".join(f"\x1bP{piece}\x1b\\" for piece in pieces) == text
    assert all(len(piece) < 256 and "\x1b\\" not in piece for piece in pieces)
    return "".join(pieces)


def passed_by_tmux(text: str) -> str:
    """What tmux passes on: the contents of one string with halved escapes."""
    inner = re.fullmatch(r"\x1bPtmux;(.*)\x1b\\", text, re.DOTALL)
    assert inner and not re.search(r"(?<!\x1b)\x1b(?!\x1b)", inner[1].replace("\x1b\x1b", ""))
    return inner[1].replace("\x1b\x1b", "\x1b")


def test_a_sequence_is_wrapped_for_what_stands_between() -> None:
    assert clipboard.sequence("moons", ()) == MOONS
    assert clipboard.sequence("moons", ("tmux",)) == MOONS + clipboard.for_tmux(MOONS)
    assert passed_by_tmux(clipboard.for_tmux(MOONS)) == MOONS
    long = "é" * 2_000
    plain = clipboard.sequence(long, ())
    assert base64.b64decode(plain[7:-1]).decode() == long
    assert passed_by_screen(clipboard.sequence(long, ("screen",))) == plain
    assert passed_by_screen(passed_by_tmux(clipboard.sequence(long, ("tmux", "screen")))) == plain
    for length in range(160, 200):  # the end of tmux's string falls on each place of a piece
        text = "x" * length
        plain = clipboard.sequence(text, ())
        assert passed_by_screen(clipboard.sequence(text, ("screen", "tmux"))) == plain + clipboard.for_tmux(
            plain
        )


@pytest.mark.parametrize(
    ("environment", "layers"),
    [
        ({"TERM": "xterm-256color"}, ()),
        ({"TERM": "tmux-256color"}, ("tmux",)),
        ({"TERM": "screen-256color", "TMUX": "/tmp/x,1,0"}, ("tmux",)),
        ({"TERM": "xterm-256color", "STY": "1234.pts-0.host"}, ("screen",)),
        ({"TERM": "screen.xterm-256color"}, ("screen",)),
        ({"TERM": "screen", "STY": "1.x", "TMUX": "/nowhere/x,1,0", "PATH": ""}, ("screen", "tmux")),
    ],
)
def test_what_stands_between_is_seen_in_the_environment(
    environment: dict[str, str], layers: tuple[str, ...]
) -> None:
    assert clipboard.between(environment) == layers


@pytest.fixture
def tmux(tmp_path: Path) -> dict[str, str]:
    """The environment within a tmux that keeps what is loaded, and whose pane is /dev/pts/7."""
    program = tmp_path / "tmux"
    program.write_text(
        f'#!/bin/sh\n[ "$1" = load-buffer ] && exec /bin/cat > {tmp_path}/$2\necho /dev/pts/7\n',
        encoding="utf-8",
    )
    program.chmod(0o700)
    return {"TMUX": "/tmp/x,1,0", "TMUX_PANE": "%1", "TERM": "tmux-256color", "PATH": str(tmp_path)}


def test_tmux_takes_it_into_its_buffer_and_asks_the_terminal_itself(
    tmux: dict[str, str], tmp_path: Path
) -> None:
    text = "é" * clipboard.LIMIT
    assert clipboard.copy(text, tmux) == ("", "through tmux")
    assert (tmp_path / "-w").read_text(encoding="utf-8") == text
    (tmp_path / "tmux").unlink()
    sent, _ = clipboard.copy("moons", tmux)
    assert sent == MOONS + clipboard.for_tmux(MOONS)


def test_of_tmux_and_screen_the_nearest_is_found_by_the_terminal(tmux: dict[str, str]) -> None:
    both = tmux | {"STY": "1.x"}
    assert clipboard.between(both, terminal="/dev/pts/7") == ("tmux", "screen")
    assert clipboard.between(both, terminal="/dev/pts/8") == ("screen", "tmux")


def test_a_short_text_is_also_taken_by_a_tmux_that_calls_itself_screen() -> None:
    sent, _ = clipboard.copy("moons", {"TERM": "screen-256color"})
    assert sent == MOONS + clipboard.for_screen(MOONS)
    sent, _ = clipboard.copy("m" * 600, {"TERM": "screen-256color"})
    assert passed_by_screen(sent), "a long one would be spilled by GNU screen"


@pytest.mark.parametrize(
    ("environment", "length", "doubtful"),
    [
        ({"TERM": "screen-256color"}, 180, False),
        ({"TERM": "screen-256color"}, 181, True),
        ({"TERM": "screen"}, 600, True),
        ({"TERM": "screen.xterm-256color"}, 600, False),
        ({"TERM": "screen", "STY": "1.x"}, 600, False),
        ({"TERM": "screen-256color", "TMUX": "/tmp/x,1,0"}, 600, False),
        ({"TERM": "xterm-256color"}, 600, False),
    ],
)
def test_whether_a_long_text_arrives_is_doubtful_where_only_term_comes_along(
    environment: dict[str, str], length: int, doubtful: bool
) -> None:
    assert clipboard.doubtful("m" * length, environment) is doubtful


def test_what_may_be_lost_on_its_way_is_in_a_file_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from console.screens import exports

    monkeypatch.setenv("MLCONSOLE_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("TERM", "screen-256color")
    for name in ("TMUX", "STY"):
        monkeypatch.delenv(name, raising=False)
    assert exports.copy("moons", "it")[1] == "Copied it through the terminal (OSC 52)."
    assert not list(tmp_path.iterdir())
    sent, told = exports.copy("m" * 600, "it")
    (file,) = (tmp_path / "exports").iterdir()
    assert passed_by_screen(sent) and file.read_text() == "m" * 600
    assert told == f"{file} has it, and the clipboard if this is GNU screen: TERM tells no more."
    monkeypatch.setenv("HOME", str(tmp_path))
    assert exports.copy("m" * 600, "it")[1].startswith("~/exports/copied-")
    assert len(list((tmp_path / "exports").iterdir())) == 2


async def test_what_is_too_long_for_the_clipboard_is_kept_in_a_file(
    services: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLCONSOLE_STATE_DIR", str(tmp_path))
    monkeypatch.delenv("TMUX", raising=False)
    app = make_app(services)
    async with app.run_test(size=(400, 24)) as pilot:
        app.copy("x" * 80_000, "the text")
        await until(
            pilot, lambda: "more than terminals take" in app.flash_text[0] if app.flash_text else False
        )
        (file,) = (tmp_path / "exports").iterdir()
        assert file.read_text() == "x" * 80_000 and app.flash_text and str(file) in app.flash_text[0]
