"""The log view: bounded, followed, searched, wrapped."""

from __future__ import annotations

from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.widgets import Input

from console.app import Console, make_app
from console.screens.logpane import LogPane
from console.theme import Palette
from console.widgets.line import Line
from console.widgets.log import LogView
from console.widgets.logline import _LEVELS, Entry, clean, level_role, pieces, widest
from console.widgets.prompt import Prompt
from tests.console.conftest import until
from tests.console.scripted import populated
from workflows.observe.rows import LogLine, LogTail


class Host(Palette[None]):
    CSS = "LogView { height: 1fr; }"

    def __init__(self, kept: int = 100_000) -> None:
        super().__init__()
        self.kept = kept

    def compose(self) -> ComposeResult:
        self.view = LogView(kept=self.kept)
        yield self.view

    def on_mount(self) -> None:
        self.view.focus()

    def screen_text(self) -> str:
        return "\n".join(self.view.render_line(y).text for y in range(self.view.size.height))


def lines(start: int, number: int) -> list[Entry]:
    return [Entry(f"line {i} of the log", 0.0) for i in range(start, start + number)]


async def test_it_follows_until_somebody_moves_up() -> None:
    app = Host()
    async with app.run_test(size=(80, 20)) as pilot:
        app.view.extend(lines(0, 100))
        await pilot.pause()
        assert "line 99 " in app.screen_text()
        await pilot.press("up")
        app.view.extend(lines(100, 50))
        await pilot.pause()
        assert not app.view.following
        assert "line 98 " in app.screen_text() and "line 149 " not in app.screen_text()
        await pilot.press("f")
        assert "line 149 " in app.screen_text()


async def test_a_hundred_thousand_lines_are_kept_and_a_flood_does_not_carry_away_what_is_read() -> None:
    app = Host()
    async with app.run_test(size=(80, 20)) as pilot:
        app.view.extend(lines(0, 100_000))
        app.view.extend(lines(100_000, 40))
        assert (len(app.view), app.view.first) == (100_000, 40)
        await pilot.press("home")
        read = app.screen_text().splitlines()[0]
        assert "line 40 " in read
        app.view.extend(lines(100_040, 150_000))
        await pilot.pause()
        assert app.screen_text().splitlines()[0] == read and app.view.first == 40
        assert (app.view.waiting, "150 000 more below" in app.view.summary) == (150_000, True)
        await pilot.press("end")
        assert app.view.following and not app.view.waiting and "line 250039 " in app.screen_text()
        assert len(app.view) == 100_000
        gap = next(at for at, entry in enumerate(app.view.entries) if "lines came and went" in entry.text)
        assert "100 000 lines" in app.view.entries[gap].text
        assert (
            "line 100039 " in app.view.entries[gap - 1].text
            and "line 200040 " in app.view.entries[gap + 1].text
        )


async def test_down_at_the_end_goes_on_with_what_came_meanwhile() -> None:
    app = Host()
    async with app.run_test(size=(80, 20)) as pilot:
        app.view.extend(lines(0, 100_000))
        await pilot.press("up", "up")
        app.view.extend(lines(100_000, 500))
        await pilot.pause()
        bottom = app.screen_text().splitlines()[-1]
        assert "line 99997 " in bottom
        await pilot.press("down", "down")
        assert "line 100000 " not in app.screen_text() and not app.view.following
        await pilot.press("down")
        assert "line 100000 " in app.screen_text() and not app.view.following
        await pilot.press("f")
        assert "line 100499 " in app.screen_text()


async def test_search_goes_to_matches_and_round() -> None:
    app = Host()
    async with app.run_test(size=(80, 20)) as pilot:
        app.view.extend(
            [*lines(0, 300), Entry("needle one"), *lines(300, 300), Entry("a Needle two"), *lines(600, 10)]
        )
        assert app.view.search("needle") == 2
        await pilot.press("n")
        first = app.screen_text()
        await pilot.press("n")
        assert "needle one" in app.screen_text() + first and "Needle two" in app.screen_text() + first
        assert app.view.search("Needle") == 1
        assert "needle two" in app.screen_text().lower()
        app.view.extend([Entry("Needle three")])
        assert "of 2" in app.view.summary
        assert app.view.search("nothing like it") == 0
        assert "not found" in app.view.summary


async def test_wrapping_shows_all_of_a_long_line() -> None:
    app = Host()
    async with app.run_test(size=(60, 20)) as pilot:
        app.view.extend([Entry("x" * 120 + "END", 0.0), *lines(0, 3)])
        await pilot.pause()
        assert "END" not in app.screen_text()
        await pilot.press("w")
        assert "END" in app.screen_text()
        await pilot.resize_terminal(40, 20)
        await pilot.pause()
        assert "END" in app.screen_text() and "line 2" in app.screen_text()


@example("\ud7b0", 2)
@given(st.text(st.characters(categories=("L", "N", "P", "Zs")), max_size=200), st.integers(2, 80))
def test_a_line_in_pieces_is_the_line(text: str, width: int) -> None:
    found = pieces(text, width)
    assert "".join(found) == text
    assert all(cell_len(piece) <= width for piece in found)


def test_a_line_breaks_behind_a_word_where_one_ends_soon() -> None:
    assert pieces("epoch=1 loss=0.25 accuracy=0.9", 20) == ["epoch=1 loss=0.25 ", "accuracy=0.9"]
    assert pieces("日本語 accuracy Größe=0.9", 18) == ["日本語 accuracy ", "Größe=0.9"]
    assert pieces("a " + "x" * 30, 20) == ["a " + "x" * 18, "x" * 12]


async def test_a_line_that_goes_on_beyond_the_screen_says_so() -> None:
    app = Host()
    async with app.run_test(size=(60, 20)) as pilot:
        app.view.extend([Entry("0123456789" * 10, 0.0), Entry("short", 0.0)])
        await pilot.pause()
        first, second = (app.view.render_line(y).text for y in (0, 1))
        assert first.endswith("›") and "›" not in second
        await pilot.press("right")
        assert app.view.render_line(0).text[0] == "‹" and app.view.render_line(0).text.endswith("›")
        await pilot.press("right", "right", "right")
        assert not app.view.render_line(0).text.endswith("›")


async def test_esc_shows_all_of_a_log_before_it_leaves() -> None:
    app = make_app(populated())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "enter", "l")
        await until(pilot, lambda: len(app.screen.query_one(LogPane).view), "the log is there")
        pane, job = app.screen.query_one(LogPane), app.screen
        everything = len(pane.view)
        await pilot.press("slash", *"e", "enter", "ampersand", *"nothing-like-it", "enter")
        assert not len(pane.view) and "Esc shows all" in pane.query_one(".log-state", Line).text
        await pilot.press("escape")
        assert len(pane.view) == everything and pane.view.term == "e"
        await pilot.press("slash", *"of", "enter")
        assert pane.view.term == "of"  # what is typed replaces what was searched for before
        await pilot.press("escape")
        assert not pane.view.term and app.screen is job
        await pilot.press("escape")
        assert app.screen is not job


async def test_an_empty_log_takes_keys_in_their_order() -> None:
    app = make_app(populated(), theme_name="mlconsole-dark")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "enter", "l")
        await until(pilot, lambda: len(app.screen.query_one(LogPane).view), "the log is there")
        pane = app.screen.query_one(LogPane)
        pane.narrow("nothing has this in it")
        for key, character in (("at", "@"), ("1", "1"), ("h", "h")):
            app.post_message(events.Key(key, character))
        await until(pilot, lambda: pane.query_one(Input).value == "1h")
        app.post_message(events.Paste("\n  90s \nmore"))
        await until(pilot, lambda: pane.query_one(Input).value == "1h90s")


async def test_escape_sequences_in_a_log_do_not_steer_the_terminal() -> None:
    app = Host()
    async with app.run_test(size=(80, 20)) as pilot:
        app.view.extend([Entry("\x1b[31mred\x1b[0m \x1b]0;title\x07 bell\x07 10%\r100% done")])
        await pilot.pause()
        text = app.screen_text()
        assert "\x1b" not in text and "\x07" not in text
        assert "100% done" in text


async def test_a_log_is_narrowed_by_words_and_time_and_what_is_shown_is_saved(tmp_path: Path) -> None:
    app = make_app(populated(), theme_name="mlconsole-dark")
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("2", "enter", "l")
        await until(pilot, lambda: len(app.screen.query_one(LogPane).view), "the log is there")
        pane = app.screen.query_one(LogPane)
        everything = len(pane.view)
        now = app.services.now()
        pane.extend(
            [Entry("loss 0.3", now - 7_200, "algo-1"), Entry("Traceback: no room", now - 30, "algo-2")]
        )
        await pilot.press("ampersand", *"level:error", "enter")
        assert all(level_role(entry.text) == "bad" for entry in pane.view.entries) and len(pane.view) >= 1
        pane.extend([Entry("nothing special", now, "algo-2"), Entry("ERROR again", now, "algo-2")])
        assert pane.view.entries[-1].text == "ERROR again"
        assert "only level:error" in line_of(app)
        await pilot.press("ampersand", *["backspace"] * 11, *"stream:algo-2", "enter")
        assert {entry.stream for entry in pane.view.entries} == {"algo-2"} and len(pane.view) == 3
        await pilot.press("at", *"20s", "enter")
        assert [entry.text for entry in pane.view.entries] == ["nothing special", "ERROR again"]
        target = tmp_path / "kept.log"
        await pilot.press("ctrl+s")
        pane.query_one(Prompt).input.value = str(target)
        await pilot.press("enter")
        await until(pilot, target.exists, "written")
        assert [text.partition("  ")[2] for text in target.read_text().splitlines()] == [
            "nothing special",
            "ERROR again",
        ]
        assert target.stat().st_mode & 0o777 == 0o600
        await pilot.press("at", *["backspace"] * 3, *"soon", "enter")
        assert app.flash_text is not None and "'soon' is no time" in app.flash_text[0]
        await pilot.press("at", *["backspace"] * 3, "enter", "ampersand", *["backspace"] * 13, "enter")
        assert len(pane.view) == everything + 4


async def test_times_are_the_clock_then_date_and_milliseconds_then_none() -> None:
    app = Host()
    async with app.run_test(size=(80, 20)) as pilot:
        app.view.extend([Entry("a line", 1_795_950_253.25)])
        await pilot.pause()
        shown = [app.screen_text().splitlines()[0].rstrip()]
        for _ in range(3):
            await pilot.press("T")
            shown.append(app.screen_text().splitlines()[0].rstrip())
        assert shown == ["11:04:13  a line", "2026-11-29 11:04:13.250  a line", "a line", shown[0]]


def line_of(app: Console) -> str:
    return "".join(strip.text for strip in app.screen._compositor.render_strips())


class Followed(Palette[None]):
    CSS = "LogPane, LogView { height: 1fr; }"

    def compose(self) -> ComposeResult:
        yield LogPane()


def printed(first: int, last: int) -> tuple[LogLine, ...]:
    return tuple(LogLine(float(number), "algo-1", f"step={number}") for number in range(first, last))


async def test_lines_that_leave_the_tail_before_they_are_shown_are_shown() -> None:
    app = Followed()
    async with app.run_test(size=(80, 20)) as pilot:
        pane = app.query_one(LogPane)
        # 20,000 lines a second: each look pushes the lines of the one before out of the tail, and lines are shown less often
        for end in (30, 60, 90, 120):
            pane.show_tail(LogTail(printed(end - 30, end), first=end - 30))
        await until(pilot, lambda: len(pane.view) == 120, "all are shown")
        assert [entry.text for entry in pane.view.entries] == [f"step={number}" for number in range(120)]


async def test_what_nobody_kept_is_counted_where_it_is_missing() -> None:
    app = Followed()
    async with app.run_test(size=(80, 20)) as pilot:
        pane = app.query_one(LogPane)
        pane.show_tail(
            LogTail(printed(500, 510), first=500)
        )  # what was before the log was opened is not missing
        pane.show_tail(LogTail(printed(3_510, 3_520), first=3_510))
        await until(pilot, lambda: len(pane.view) == 21, "all are shown")
        texts = [entry.text for entry in pane.view.entries]
        assert texts[9:12] == ["step=509", "… 3 000 lines came and went meanwhile", "step=3510"]


async def test_a_flood_is_filtered_in_portions_and_all_of_it() -> None:
    app = Followed()
    async with app.run_test(size=(80, 20)) as pilot:
        pane = app.query_one(LogPane)
        pane.narrow("7$")
        pane.show_tail(LogTail(printed(0, 9_000)))
        pane.show_tail(LogTail(printed(0, 12_000)))
        await until(pilot, lambda: len(pane.view) == 1_200, "those that fit are shown")
        assert pane.view.entries[-1].text == "step=11997"
        pane.narrow("")
        assert len(pane.view) == 12_000


async def test_the_streams_are_named_as_soon_as_there_are_several_and_one_can_be_read_alone() -> None:
    app = Followed()
    async with app.run_test(size=(80, 20)) as pilot:
        pane = app.query_one(LogPane)
        lines = (LogLine(1.0, "algo-1", "a"), LogLine(2.0, "algo-2", "b"), LogLine(3.0, "algo-1", "c"))
        pane.show_tail(LogTail(lines))
        await until(pilot, lambda: len(pane.view) == 3, "all are shown")
        assert [entry.text for entry in pane.view.entries] == ["[algo-1] a", "[algo-2] b", "[algo-1] c"]
        pane.show_only("algo-1")
        assert [entry.text for entry in pane.view.entries] == ["a", "c"]
        pane.show_only("")
        assert len(pane.view) == 3


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), min_size=1), st.integers(0, 40)
)
def test_the_widest_line_is_that_of_what_is_drawn(texts: list[str], least: int) -> None:
    entries = [Entry(text) for text in texts]
    assert widest(entries, least) == max(least, *(cell_len(clean(entry)) for entry in entries))


@given(st.text(st.sampled_from("ERORWANDBUGCTILFarecptionxk :"), max_size=40))
def test_a_level_is_found_wherever_an_expression_finds_it(text: str) -> None:
    slowly = next((role for pattern, role in _LEVELS if pattern.search(text)), "")
    assert level_role(text) == slowly


async def test_lines_that_nobody_read_are_told_where_they_are_missing() -> None:
    app = Followed()
    async with app.run_test(size=(80, 20)) as pilot:
        pane = app.query_one(LogPane)
        pane.show_tail(LogTail(printed(0, 3)))
        pane.show_tail(LogTail((*printed(0, 5), *printed(900, 902)), skipped=5))
        pane.show_tail(LogTail((*printed(0, 5), *printed(900, 903)), skipped=5))
        await until(pilot, lambda: len(pane.view) == 9, "all are shown")
        expected = [*(f"step={number}" for number in range(5)), "… lines came and went meanwhile", "step=900", "step=901", "step=902"]  # fmt: skip
        assert [entry.text for entry in pane.view.entries] == expected
        pane.show_only("algo-1")
        assert [entry.text for entry in pane.view.entries] == expected
