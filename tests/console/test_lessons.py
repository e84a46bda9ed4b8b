"""What a person does with the lessons: see how far they are, read, start, try a change, come back to a run, read that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.widgets import Input, Static

from console import clipboard
from console.app import Console, make_app
from console.exhibit import Exhibit, cropped
from console.keymap import Keymap
from console.screens import lessons_facts
from console.screens.form import FormScreen
from console.screens.lesson import LessonScreen
from console.screens.lessons import LessonsScreen
from console.screens.result import ResultScreen
from console.screens.run import RunScreen
from console.screens.studies import ScriptScreen
from console.trail import Place
from console.widgets.line import Line
from console.widgets.page import Page
from console.widgets.prompt import Prompt
from console.widgets.rows import Rows
from console.widgets.select import Choice
from tests.console import lesson_data
from tests.console.conftest import until
from tests.console.lesson_data import CODE, EXCHANGE, RUNNING, TAKEN, lesson
from tests.console.scripted import Scripted, populated
from workflows import topics
from workflows.lessons.catalog import lessons, number
from workflows.lessons.progress import INTERFACES, Progress

SMALL = (80, 24)
LARGE = (160, 48)


@pytest.fixture
def services() -> Scripted:
    """A person in the middle of the course."""
    return lesson_data.attended(populated())


def page(app: Console, name: str) -> str:
    return app.screen.query_one(name, Page).text


def line(app: Console, name: str) -> str:
    return app.screen.query_one(name, Line).text


def cells(app: Console) -> list[str]:
    """The rows of the list in sight, as texts."""
    rows: Rows[Any] = app.screen.query_one("#list", Rows)
    return [
        " | ".join(cell.text for cell in rows._cells(item)) for item in rows.items if not rows._title(item)
    ]


@pytest.mark.parametrize("interface", INTERFACES)
@pytest.mark.parametrize("name", [info.name for info in lessons()])
async def test_every_lesson_starts_from_the_menu_through_both_interfaces(name: str, interface: str) -> None:
    services = populated()
    info = lesson(name)
    run = f"{name}-20270115-080000-beef"
    services.events[run] = lesson_data.told(run, info, upto=1)
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("7", *["down"] * [one.name for one in lessons()].index(name), "enter")
        assert isinstance(app.screen, LessonScreen)
        text = page(app, "#overview")
        for step, title in info.steps:
            assert title in text
            assert info.lesson is not None and info.lesson.explains[step].split()[0] in text
        await pilot.press("tab", *["down"] * INTERFACES.index(interface), "enter")
        form = app.screen
        assert isinstance(form, FormScreen)
        await until(pilot, lambda: form.query("#verdict"))
        assert form.query_one("#p-interface", Choice).value == interface
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        (started,) = [call for call in services.done if call[0] == "start_run"]
        assert started[1] == name and started[3] == interface
        assert started[2] == {item.name: item.default for item in info.parameters}
        await until(pilot, lambda: "Lesson" in line(app, "#parts"))
        assert info.steps[0][1] in page(app, "#overview")
        await pilot.press("escape")
        assert isinstance(app.screen, LessonScreen)


async def test_the_list_tells_progress_that_stays_when_runs_are_deleted(services: Scripted) -> None:
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=LARGE) as pilot:
        await pilot.press("7")
        assert isinstance(app.screen, LessonsScreen)
        await until(pilot, lambda: "low ✓" in cells(app)[0])
        first, second = cells(app)[:2]
        assert "low ✓ high –" in first and "1 of 3" in first and "$0.0" in first and first.endswith("● train")
        assert "low ✓ high ✓" in second and second.endswith("✓ deleted")
        assert f"2 of {len(lessons())} taken" in line(app, "#nav")
        await pilot.press("down")
        assert "building-20270113-101010-bb01, is deleted; what you did is remembered" in " ".join(
            page(app, "#about").split()
        )
        services.learned["building"] = replace(
            services.learned["building"], tried=(lesson("building").lesson.tries[0].title,)
        )  # type: ignore[union-attr]
        services.publish(topics.RUNS, services.values[topics.RUNS].value[1:])
        await until(pilot, lambda: f"1 of {len(lesson('building').lesson.tries)}" in cells(app)[1])


async def test_a_change_is_tried_with_one_key_and_marked_in_the_form(services: Scripted) -> None:
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("7")
        await until(pilot, lambda: "1 of 3" in cells(app)[0])
        await pilot.press("v")
        form = app.screen
        assert isinstance(form, FormScreen)
        await until(pilot, lambda: form.query("#verdict"))
        second = lesson().lesson.tries[1]  # type: ignore[union-attr]
        assert second.title in str(form.query_one("#look", Static).render())
        assert form.query_one("#p-c", Input).value == "0.001" and form.focused is form.query_one("#p-c")
        assert form.query_one("#n-c").has_class("-changed") and not form.query_one("#n-point").has_class(
            "-changed"
        )
        assert "1 setting other than by default" in line(app, "#nav") + form.summary()
        await pilot.press("ctrl+s")
        await until(pilot, lambda: any(call[0] == "start_run" for call in services.done))
        (started,) = [call for call in services.done if call[0] == "start_run"]
        assert started[2] == {item.name: item.default for item in lesson().parameters} | {"c": 0.001}


async def test_every_change_can_be_chosen_from_the_page_of_its_lesson(services: Scripted) -> None:
    app = make_app(services, theme_name="mlconsole-dark")
    tries = lesson().lesson.tries  # type: ignore[union-attr]
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("7", "enter", "tab")
        await until(pilot, lambda: cells(app)[2].startswith("✓ tried"))
        assert [row.split(" | ")[1] for row in cells(app)[2:5]] == [one.title for one in tries]
        assert TAKEN in cells(app)[6]
        for at, one in enumerate(tries, start=2):
            await pilot.press("home", *["down"] * at)
            assert one.look.split()[0] in page(app, "#choice")
            await pilot.press("enter")
            form = app.screen
            assert isinstance(form, FormScreen)
            await until(pilot, lambda form=form: form.query("#verdict"))  # type: ignore[misc]
            assert {name: form.texts()[name] for name in one.changes} == one.changes
            await pilot.press("escape")
            assert isinstance(app.screen, LessonScreen)
        await pilot.press("end", "enter")
        assert isinstance(app.screen, RunScreen) and app.screen.run_id == TAKEN


async def test_the_interface_that_is_missing_is_offered_and_all_tried_is_said(services: Scripted) -> None:
    tries = lesson().lesson.tries  # type: ignore[union-attr]
    services.learned["introduction"] = replace(
        services.learned["introduction"], tried=tuple(one.title for one in tries)
    )
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("7")
        await until(pilot, lambda: "3 of 3" in cells(app)[0])
        await pilot.press("v")
        assert "You have tried all of it" in line(app, "#keys")
        await pilot.press("n")
        form = app.screen
        assert isinstance(form, FormScreen)
        await until(pilot, lambda: form.query("#verdict"))
        assert form.query_one("#p-interface", Choice).value == "high"


async def test_while_it_runs_it_says_what_it_does_and_shows_what_it_saw(services: Scripted) -> None:
    app = make_app(services, theme_name="mlconsole-dark")
    info = lesson()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("7", "l")
        assert isinstance(app.screen, RunScreen)
        await until(pilot, lambda: "step 2 of 7" in page(app, "#overview"))
        text = page(app, "#overview")
        assert "CreateTrainingJob starts a machine" in text and "▸ What the job saw" in text
        assert max(map(len, text.splitlines())) <= SMALL[0]
        services.events[RUNNING] = lesson_data.told(RUNNING, info)
        await until(
            pilot,
            lambda: "completed" in page(app, "#overview") and "A stiffer model" in page(app, "#overview"),
        )
        assert "Tab reads it at your pace" in page(app, "#overview")


async def test_a_lesson_is_read_and_what_it_shows_looked_at_whole(
    services: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    monkeypatch.setattr(clipboard, "copy", lambda text: copied.append(text) or ("", "here"))
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await app.open_run(TAKEN)
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await until(pilot, lambda: screen.state.finished is not None)
        await pilot.press("tab")
        text = page(app, "#results")
        assert "step 2 of 7" in text and "more lines: Enter shows all of it" in text and "Parts" in text
        assert max(map(cell_len, text.splitlines())) <= SMALL[0] - 2 and "\x1b" not in text
        reading = screen.query_one("#results", Page)
        reading.scroll_to(y=screen._begins[0], animate=False, force=True, immediate=True)
        await pilot.press("enter")
        shown = app.screen
        assert isinstance(shown, ResultScreen) and isinstance(shown.result, Exhibit)
        await until(pilot, lambda: "python · 48 lines" in line(app, "#sheet-title"))
        assert page(app, "#figure").splitlines() == CODE.splitlines()
        await pilot.press("right", "right", "pagedown")
        figure = shown.query_one("#figure", Page)
        await until(pilot, lambda: figure.scroll_offset.x > 0 and figure.scroll_offset.y > 0)
        await pilot.press("y", "w")
        assert copied == [CODE + "\n"]
        prompt = shown.query_one(Prompt)
        assert prompt.query_one(Input).value == f"{TAKEN}-train-py.py"
        prompt.query_one(Input).value = str(tmp_path / "train.py")
        await pilot.press("enter")
        await until(
            pilot,
            lambda: (tmp_path / "train.py").exists() and (tmp_path / "train.py").read_text() == CODE + "\n",
        )
        await pilot.press("n")
        await until(pilot, lambda: figure.scroll_offset == (0, 0))
        assert "the call" in line(app, "#sheet-title") and "\x1b" not in page(app, "#figure")
        await pilot.press("n")
        assert "1 row" in shown.summary()
        await pilot.press("escape")
        assert app.screen is screen


async def test_a_run_leads_to_its_page_to_the_next_change_and_to_its_code_in_both_interfaces(
    services: Scripted,
) -> None:
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await app.open_run(TAKEN)
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await until(pilot, lambda: "v try next" in line(app, "#keys"))
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ScriptScreen))
        assert app.screen.query_one(Page).text.startswith("# low")
        await pilot.press("i")
        await until(
            pilot,
            lambda: (
                isinstance(app.screen, ScriptScreen) and app.screen.query_one(Page).text.startswith("# high")
            ),
        )
        await pilot.press("escape", "v")
        form = app.screen
        assert isinstance(form, FormScreen)
        await until(pilot, lambda: form.query("#verdict"))
        assert form.query_one("#p-c", Input).value == "0.001"
        await pilot.press("escape")
        assert isinstance(app.screen, LessonScreen)
        await app.open_run(TAKEN)
        await pilot.press("l")
        assert isinstance(app.screen, LessonScreen) and app.current_mode == "lessons"


async def test_the_way_back_to_a_lessons_run_stays_among_the_lessons(services: Scripted) -> None:
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("7", "enter")
        await app.open_run(TAKEN)
        await pilot.press("escape", "left_square_bracket")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        assert app.current_mode == "lessons" and len(app.screen_stack) == 3
        await pilot.press("2", "left_square_bracket")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        assert app.current_mode == "lessons" and app.last_place == Place("run", TAKEN)
        assert app.last_place.section == "lessons"  # where the next console begins, too


async def test_the_keys_that_lessons_name_are_those_of_the_persons_keymap(services: Scripted) -> None:
    services.learned["introduction"] = replace(services.learned["introduction"], tried=())
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=LARGE) as pilot:
        keys = {"run.vary": "f5", "run.next_part": "f6", "run.code": "f7", "run.open": "f8"}
        app.use_keymap(
            Keymap(
                keys | {"lesson.vary": "f9", "list.open": "f3", "lessons.start": "f4", "form.start": "ctrl+g"}
            )
        )
        await pilot.press("7", "f3")
        assert isinstance(app.screen, LessonScreen)
        await until(pilot, lambda: "F7 in the run shows all of it" in page(app, "#choice"))
        assert "see what happens: F9 opens the form" in page(app, "#overview")
        await pilot.press("f9")
        form = app.screen
        assert isinstance(form, FormScreen)
        await until(pilot, lambda: "Ctrl+G  starts the run" in line(app, "#verdict"))
        await app.open_run(TAKEN)
        await until(pilot, lambda: "F6 reads it at your pace" in page(app, "#overview"))
        await until(pilot, lambda: "F5 tries: " in page(app, "#overview"))
        await pilot.press("f6")
        await until(pilot, lambda: "more lines: F8 shows all of it" in page(app, "#results"))


async def test_every_title_can_be_read_to_its_end_on_a_large_terminal(services: Scripted) -> None:
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=LARGE) as pilot:
        await pilot.press("7")
        await until(pilot, lambda: "low ✓" in cells(app)[0])
        rows: Rows[Any] = app.screen.query_one("#list", Rows)
        shown = "\n".join(rows.render_line(y).text for y in range(rows.size.height))
        assert all(info.title in shown for info in lessons()), shown


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 36)])
async def test_no_title_is_cut_in_the_list(services: Scripted, size: tuple[int, int]) -> None:
    app = make_app(services)
    async with app.run_test(size=size) as pilot:
        await pilot.press("7")
        rows: Rows[Any] = app.screen.query_one("#list", Rows)
        await until(pilot, lambda: "✓" in rows.render_line(1).text or "–" in rows.render_line(1).text)
        for at, info in enumerate(lessons(), start=1):
            shown = rows.render_line(at).text[2:]
            told = shown[: shown.index("  ")].removeprefix(f"{at} ")
            assert told and info.title.startswith(told) and "…" not in told


async def test_runs_of_studies_have_no_lesson(services: Scripted) -> None:
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await app.open_run("moons-20270115-074355-c0de")
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await until(pilot, lambda: screen.state.finished is not None)
        assert "Results" in line(app, "#parts") and "lesson" not in line(app, "#keys")
        await pilot.press("l")
        assert app.screen is screen and "no run of a lesson" in line(app, "#keys")


async def test_lessons_are_reached_by_name_and_by_number(services: Scripted) -> None:
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("colon", *"lessons 2", "enter")
        await until(pilot, lambda: isinstance(app.screen, LessonScreen))
        assert app.screen.info.name == "building"  # type: ignore[attr-defined]
        await pilot.press("colon", *"lessons", "enter")
        await until(pilot, lambda: isinstance(app.screen, LessonsScreen))
        await pilot.press("colon", *"updating", "enter")
        await until(pilot, lambda: isinstance(app.screen, LessonScreen))
        await pilot.press("escape", "escape")
        assert app.current_mode == "home"


async def test_a_disk_that_hangs_freezes_no_key(services: Scripted) -> None:
    services.hangs()
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("7")
        assert isinstance(app.screen, LessonsScreen)
        assert "…" in cells(app)[0] and "Looking at your progress" in page(app, "#about")
        await pilot.press("v")
        assert "a moment" in line(app, "#keys")
        await pilot.press("enter")
        assert isinstance(app.screen, LessonScreen) and "Step by step" in page(app, "#overview")
        services.hang.clear()


async def test_read_only_shows_everything_and_starts_nothing() -> None:
    services = lesson_data.attended(populated(read_only=True))
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("7", "n")
        form = app.screen
        assert isinstance(form, FormScreen)
        await until(pilot, lambda: form.query("#verdict"))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "Read-only" in line(app, "#keys"))
        assert not any(call[0] == "start_run" for call in services.done)


@pytest.mark.parametrize("width", [60, 78, 96, 158])
@pytest.mark.parametrize("name", [info.name for info in lessons()])
def test_everything_about_a_lesson_fits_and_is_told(name: str, width: int) -> None:
    info = lesson(name)
    assert info.lesson is not None
    from workflows.lessons.catalog import bill

    course = lessons_facts.Coursework(bills={name: bill(info)})
    lines = lessons_facts.whole(info, course, [], 0.0, width)
    text = "\n".join("".join(piece for piece, _ in runs).rstrip() for runs in lines)
    assert max(map(cell_len, text.splitlines())) <= max(width, 92)
    words = " ".join(text.split())
    assert all(
        part in words for part in (f"Lesson {number(info)}", "in all", "On this machine it costs nothing")
    )
    assert all(one.title in words and lessons_facts.changes(one) in words for one in info.lesson.tries)
    assert all(" ".join(told.split()[:4]) in words for told in info.lesson.explains.values())


def test_what_comes_next_is_what_is_missing() -> None:
    info = lesson()
    tries = info.lesson.tries  # type: ignore[union-attr]
    nothing = Progress(info.name)
    assert nothing.next_try(info) == tries[0] and nothing.next_interface("high") == "high"
    some = Progress(info.name, {"high": 1.0}, (tries[0].title, tries[2].title))
    assert some.next_try(info) == tries[1] and some.next_interface("high") == "low"
    everything = Progress(info.name, {"low": 1.0, "high": 2.0}, tuple(one.title for one in tries))
    assert everything.next_try(info) is None and everything.next_interface("high") == "high"


@given(
    st.text(max_size=300), st.sampled_from(["", "text", "python", "json", "http", "sh", "no such language"])
)
def test_no_text_reaches_the_terminal_as_a_command_and_none_is_lost(text: str, language: str) -> None:
    lines = Exhibit("a", language, text).lines()
    shown = "\n".join("".join(piece for piece, _ in line) for line in lines)
    assert not any((ord(letter) < 32 and letter != "\n") or ord(letter) == 127 for letter in shown)
    assert len(lines) == text.replace("\r\n", "\n").count("\n") + 1
    assert [letter for letter in shown if letter.isalnum()] == [letter for letter in text if letter.isalnum()]


@given(
    st.lists(st.tuples(st.text("ab漢字é ", max_size=12), st.sampled_from(["", "key"])), max_size=6),
    st.integers(1, 40),
)
def test_a_line_that_is_too_long_is_cut_where_it_goes_on(line: list[tuple[str, str]], width: int) -> None:
    kept = cropped(line, width)
    before, after = ("".join(text for text, _ in one) for one in (line, kept))
    assert cell_len(after) <= width
    assert after == before if cell_len(before) <= width else after.endswith("…")


def test_an_exchange_keeps_its_bytes_for_copying() -> None:
    assert Exhibit("the call", "http", EXCHANGE).text == EXCHANGE
    assert Exhibit("the call", "http", EXCHANGE).kind == "http · 7 lines"
