"""The log view: bounded, followed, searched, wrapped."""

from __future__ import annotations

from textual.app import ComposeResult

from console.theme import Palette
from console.widgets.log import Entry, LogView


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


async def test_a_hundred_thousand_lines_are_kept_and_what_is_read_stays_in_sight() -> None:
    app = Host()
    async with app.run_test(size=(80, 20)) as pilot:
        app.view.extend(lines(0, 100_000))
        await pilot.press("home", *["pagedown"] * 5)
        read = app.screen_text().splitlines()[0]
        app.view.extend(lines(100_000, 40))
        await pilot.pause()
        assert len(app.view) == 100_000
        assert app.view.first == 40
        assert app.screen_text().splitlines()[0] == read


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


async def test_escape_sequences_in_a_log_do_not_steer_the_terminal() -> None:
    app = Host()
    async with app.run_test(size=(80, 20)) as pilot:
        app.view.extend([Entry("\x1b[31mred\x1b[0m \x1b]0;title\x07 bell\x07 10%\r100% done")])
        await pilot.pause()
        text = app.screen_text()
        assert "\x1b" not in text and "\x07" not in text
        assert "100% done" in text
