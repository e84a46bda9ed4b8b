"""Recording and replay: the file format, what is let through, the player's arithmetic, and both programs on a real terminal."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import termios
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from console.cli.failures import guarded
from console.recording import cast
from console.recording.cast import Event, Header, Recording, Writer, parse, played, read
from console.recording.harmless import Harmless
from console.recording.player import _KEY, Player
from tests.console.command import COMMAND
from tests.console.terminals import ALTERNATE_SCREEN_OFF, CURSOR_ON, Terminal
from workflows.problem import Problem

DEMO = Path(cast.__file__).with_name("demo.cast.gz")
NOWHERE = ("--target", "aws", "--region", "eu-west-1")

texts = st.text(st.characters(exclude_categories=["Cs"]))
headers = st.builds(
    Header, st.integers(1, 9999), st.integers(1, 9999), st.none() | st.integers(0, 2**40),
    st.none() | st.floats(0.001, 1e6), texts, st.dictionaries(texts, texts, max_size=3),
)  # fmt: skip
codes = st.tuples(st.sampled_from(["o", "i", "m"]), texts) | st.builds(
    lambda width, height: ("r", f"{width}x{height}"), st.integers(1, 9999), st.integers(1, 9999)
)


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    times = sorted(draw(st.lists(st.integers(0, 10**12), max_size=8)))
    return Recording(draw(headers), tuple(Event(at / 1e6, *draw(codes)) for at in times))


def text_of(recording: Recording) -> bytes:
    return (recording.header.line() + "".join(event.line() for event in recording.events)).encode()


@given(recordings())
def test_what_is_written_is_read_again(recording: Recording) -> None:
    data = text_of(recording)
    assert parse(data, "x") == recording
    lines = data.decode().split("\n")
    assert lines.pop() == "" and len(lines) == 1 + len(recording.events)
    # The header as asciicast v2 has it: https://docs.asciinema.org/manual/asciicast/v2/
    document = json.loads(lines[0])
    assert document["version"] == 2 and type(document["width"]) is int and type(document["height"]) is int
    kinds = {
        "timestamp": int,
        "idle_time_limit": (int, float),
        "title": str,
        "env": dict,
        "version": int,
        "width": int,
        "height": int,
    }
    assert all(name in kinds and isinstance(value, kinds[name]) for name, value in document.items())
    for line in lines[1:]:
        at, code, text = json.loads(line)
        assert isinstance(at, int | float) and code in "oirm" and isinstance(text, str)


@given(recordings(), st.integers(0, 10**6))
def test_a_file_that_is_torn_anywhere_shows_what_was_whole(recording: Recording, at: int) -> None:
    data = text_of(recording)
    cut = data[: max(len(recording.header.line().encode()), at % (len(data) + 1))]
    found = parse(cut, "x")
    whole = cut.count(b"\n") - 1
    assert found.events[:whole] == recording.events[:whole] and len(found.events) - whole in (0, 1)


@pytest.mark.parametrize(
    "lines, said",
    [
        (["hello"], "line 1: it is no JSON"),
        (["{}"], "line 1: it is no header"),
        (['{"version": 3, "term": {"cols": 80, "rows": 24}}'], "line 1: it is of version 3, and only version 2"),
        (['{"version": 2, "width": 80}'], "line 1: height has to be a number"),
        (['{"version": 2, "width": true, "height": 24}'], "line 1: width has to be"),
        (['{"version": 2, "width": 80, "height": 24, "idle_time_limit": NaN}'], "line 1: it has NaN"),
        (['{"version": 2, "width": 80, "height": 24}', "[0, 1]"], "line 2: it is no event"),
        (['{"version": 2, "width": 80, "height": 24}', '[0, "o", "a"]', '["x", "o", "b"]'], "line 3: its time is no number"),
        (['{"version": 2, "width": 80, "height": 24}', '[2, "o", "a"]', '[1, "o", "b"]'], "line 3: its time is before"),
        (['{"version": 2, "width": 80, "height": 24}', "", '[2, "r", "big"]'], "line 3: its size is not COLUMNSxLINES"),
        (['{"version": 2, "width": 80, "height": 24}', "[" * 100_000], "line 2: it is nested too deeply"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_with_its_line(
    lines: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken.cast"
    path.write_text("\n".join([*lines, ""]))
    assert guarded(["replay", str(path), "--json"]) == 1
    assert f"{path}, {said}" in json.loads(capsys.readouterr().out)["error"]


def test_a_file_that_is_not_there_or_is_there_already(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guarded(["replay", str(tmp_path / "no.cast")]) == 1
    assert "No such file" in capsys.readouterr().err
    Writer(tmp_path / "a.cast", Header(80, 24)).close()
    assert stat.S_IMODE((tmp_path / "a.cast").stat().st_mode) == 0o600
    with pytest.raises(Problem, match="is there already"):
        Writer(tmp_path / "a.cast", Header(80, 24))
    with pytest.raises(Problem, match="cannot be written"):
        Writer(tmp_path / "no" / "a.cast", Header(80, 24))


def test_a_full_disk_stops_the_recording_at_a_whole_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "full.cast"
    writer = Writer(path, Header(80, 24))
    writer.write(Event(1, "o", "kept"))
    real = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:7]))
        writer.write(Event(2, "o", "lost"))
    writer.write(Event(3, "o", "not written"))
    writer.close()
    assert writer.failure == "No space left on device"
    assert [event.data for event in read(path).events] == ["kept"] and not read(path).cut


# What a recording may do to a terminal

SAFE = re.compile(
    r"\x1b\[(?:[0-9;:]*[@-Zadefgmrsu`b]|\?(?:7|25|47|1047|1048|1049|2026)(?:;(?:7|25|47|1047|1048|1049|2026))*[hl])"
    r"|\x1b[()][0AB]|\x1b[78DEM]|[\b\t\n\v\f\r\x0e\x0f]|[^\x00-\x1f\x7f-\x9f]"
)
parts = st.sampled_from(
    ["\x1b", "[", "]", "52;c;QUJD", "\x07", "\x1b\\", "?", "1000", "1049", "h", "l", ";", "c", "n", "6", "P", "m", "38:2", "(", "0", "$p", ">", "u", "\x9b", "\x9d", "text", "é", "\x18", "q", "!", "\n"]
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(parts, max_size=12), st.lists(parts, max_size=12))
@example(["\x1b", "]", "52;c;QUJD"], ["\x07"])
@example(["\x1b", "["], ["?", "1000", "h"])
def test_only_painting_is_let_through_wherever_the_stream_is_cut(first: list[str], second: list[str]) -> None:
    one, two = "".join(first), "".join(second)
    cut, whole = Harmless(), Harmless()
    shown = cut.feed(one) + cut.feed(two)
    assert shown == whole.feed(one + two)
    assert SAFE.sub("", shown) == ""
    assert Harmless().feed(shown) == shown


def test_what_is_dropped_and_what_is_kept() -> None:
    kept = "\x1b[1;38;2;1;2;3mé\x1b[0m\x1b[2;3H\x1b[K\x1b[?25l\x1b[?1049h\x1b[?2026h\x1b(B\x1b7\r\n"
    dropped = (
        "\x1b[?1003h\x1b[?1006h\x1b[?2004h\x1b[?1004h\x1b[>1u\x1b[<u\x1b[c\x1b[>c\x1b[6n\x1b[?2026$p\x1b[8;50;200t\x1b[5i\x1b[!p\x1bc"
        "\x1b]52;c;QUJD\x07\x1b]0;title\x1b\\\x1b]8;;http://x\x07\x1bP+q544e\x1b\\\x1b_Gi=1\x1b\\\x05\x07\x9b6n"
    )
    assert Harmless().feed(kept) == kept
    assert Harmless().feed(dropped).strip("6n") == ""


# The player


@given(recordings(), st.none() | st.floats(0.01, 100))
def test_pauses_are_bounded_and_nothing_else_changes(recording: Recording, idle: float | None) -> None:
    limit = recording.header.idle if idle is None else idle
    shown = list(played(recording, idle))
    assert [(event.code, event.data) for event in shown] == [
        (event.code, event.data) for event in recording.events
    ]
    for (a, b), (then, now) in zip(
        pairwise(recording.events),
        pairwise(shown),
        strict=True,
    ):
        wanted = b.time - a.time if limit is None else min(limit, b.time - a.time)
        assert now.time - then.time == pytest.approx(wanted, abs=1e-3)


def test_the_player_pauses_steps_seeks_and_changes_its_speed() -> None:
    events = tuple(Event(float(at), "o", f"<{at}>") for at in range(1, 21))
    said: list[str] = []
    player = Player(Recording(Header(20, 5), events), said.append, (60, 5))

    def shown() -> str:
        text = "".join(said)
        said.clear()
        return "".join(re.findall(r"<\d+>", text))

    player.passed(2.5)
    assert shown() == "<1><2>" and player.wait() == pytest.approx(0.5)
    assert player.press(b" ") and player.paused and player.wait() is None
    assert "paused" in "".join(said) and "\x1b[5;1H" in "".join(
        said
    )  # over the recording's last line, which is painted again
    player.passed(100)
    assert player.shown == 2
    player.press(b".")
    player.press(b".")
    assert shown() == "<3><4>" and player.at == 4
    player.press(b" ")
    assert not player.paused and shown() == "<1><2><3><4>"
    player.press(b"+")
    assert player.speed == 2 and player.wait() == pytest.approx(0.5)
    player.passed(1.0)
    assert shown() == "<5><6>"
    player.press(b"\x1b[C")
    assert player.at == 11 and shown() == "".join(f"<{at}>" for at in range(7, 12))
    player.press(b"\x1b[D")
    assert player.at == 6 and shown() == "".join(f"<{at}>" for at in range(1, 7))
    for _ in range(5):
        player.press(b"\x1b[C")
    assert player.over and player.at == player.seconds == 20
    player.press(b"0")
    assert player.shown == 0 and not player.over
    assert not player.press(b"q") and not player.press(b"\x1b") and player.press(b"z")
    assert _KEY.findall(b" \x1b[C\x1bOD\x1b[1~q\x1b") == [
        b" ",
        b"\x1b[C",
        b"\x1bOD",
        b"\x1b[1~",
        b"q",
        b"\x1b",
    ]


# On a terminal


def attributes(screen: Terminal) -> list[object]:
    return list(termios.tcgetattr(screen.descriptor))


@pytest.mark.parametrize("killed", [False, True])
def test_a_session_is_recorded_also_up_to_a_kill(killed: bool, tmp_path: Path) -> None:
    path = tmp_path / "s.cast"
    script = f'stty -a > {tmp_path}/before; "$0" "$@"; stty -a > {tmp_path}/after; echo EN""DED'
    command = ["sh", "-c", script, COMMAND, "record", str(path), *NOWHERE, "--read-only", "--keys"]
    screen = Terminal(command, size=(90, 30))
    try:
        screen.shows("Lessons")
        screen.write(b"4")
        screen.shows("moons")
        screen.resize(100, 31)
        screen.until(lambda: '"r", "100x31"' in path.read_text(), "the new size in the file")
        if killed:
            recorder = int(next(pid for pid in children(screen.pid)))
            (console,) = [pid for pid in children(recorder) if b"console" in Path(f"/proc/{pid}/cmdline").read_bytes() and b"record" not in Path(f"/proc/{pid}/cmdline").read_bytes()]  # fmt: skip
            os.kill(recorder, signal.SIGKILL)
            screen.shows("ENDED")
            screen.until(
                lambda: not Path(f"/proc/{console}").exists(), "the end of the console that was recorded"
            )
            screen.until(lambda: ALTERNATE_SCREEN_OFF in screen.output, "the terminal given back")
        else:
            screen.write(b"q")
            screen.shows("mlconsole replay")
            screen.shows("ENDED")
        screen.until(screen.ended, "the end")
        assert CURSOR_ON in screen.output
    finally:
        screen.close()
    if not killed:
        assert without_size(tmp_path / "after") == without_size(tmp_path / "before")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    recording = read(path)
    assert not recording.cut and (recording.header.width, recording.header.height) == (90, 30)
    assert recording.header.env == {"TERM": "xterm-256color"} and recording.largest == (100, 31)
    assert "4" in [event.data for event in recording.events if event.code == "i"]
    assert "moons" in "".join(event.data for event in recording.events if event.code == "o")
    assert "read-only" in "".join(event.data for event in recording.events if event.code == "o")


def without_size(path: Path) -> str:
    return re.sub(r"(rows|columns) \d+;? ?", "", path.read_text())


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_the_terminal_is_given_back_after_a_kill(tmp_path: Path) -> None:
    screen = Terminal([COMMAND, "replay", str(DEMO)], size=(200, 60))
    try:
        before = attributes(screen)
        screen.shows("pause")
        screen.until(lambda: attributes(screen) != before, "the raw terminal")
        os.kill(screen.pid, signal.SIGKILL)
        screen.until(
            lambda: attributes(screen) == before and ALTERNATE_SCREEN_OFF in screen.output,
            "the terminal given back",
        )
    finally:
        screen.close()


def test_a_recording_is_shown_with_keys(tmp_path: Path) -> None:
    path = tmp_path / "two.cast"
    writer = Writer(path, Header(40, 10))
    for event in (
        Event(0.0, "o", "BEGUN\x1b]52;c;QUJD\x07\x1b[?1003h"),
        Event(1000.0, "o", "MIDDLE"),
        Event(2000.0, "o", "LAST"),
    ):
        writer.write(event)
    writer.close()
    screen = Terminal([COMMAND, "replay", str(path), "--speed", "2"], size=(80, 24))
    try:
        screen.shows("BEGUN")
        screen.write(b".")
        screen.shows("MIDDLE")
        assert (
            b"LAST" not in screen.output
            and b"QUJD" not in screen.output
            and b"\x1b[?1003h" not in screen.output
        )
        screen.write(b"q")
        screen.until(screen.ended, "the end")
        assert screen.status == 0 and ALTERNATE_SCREEN_OFF in screen.output
    finally:
        screen.close()
    screen = Terminal([COMMAND, "replay", str(path), "--idle", "0.05"], size=(39, 10))
    try:
        screen.shows("this terminal has 39")
        screen.write(b"\r")
        screen.until(screen.ended, "the end of the recording")
        assert screen.status == 0 and b"LAST" in screen.output
    finally:
        screen.close()


# The demonstration that ships


def test_the_demonstration_is_small_and_names_no_machine() -> None:
    assert DEMO.stat().st_size < 300_000
    recording = read(DEMO)
    assert not recording.cut and recording.header.timestamp is None
    width, height = recording.largest
    assert width <= 100 and height <= 30
    shown = "".join(event.data for event in recording.events)
    assert {event.code for event in recording.events} <= {"o", "m"}
    for word in ("moons", "accuracy", "EMBEDDED", "Completed"):
        assert word in shown, word
    for word in (
        str(Path.home()),
        "/root",
        "/home/",
        "/work",
        "/Users",
        socket.gethostname(),
        "AKIA",
    ):
        assert word not in shown, word
    seconds = list(played(recording))[-1].time
    assert 15 < seconds < 120


def test_the_demonstration_is_what_is_shown_without_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(["replay", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (
        told["file"] == "demo" and told["cut"] is False and told["keys"] is False and "moons" in told["title"]
    )
