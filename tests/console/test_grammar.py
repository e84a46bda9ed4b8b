"""The grammar of all screens: the command line, filters, orders, columns, marks, jumps, and the way back."""

from __future__ import annotations

import csv
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from textual.events import Resize
from textual.geometry import Size
from textual.widgets import Input

from console import listcolumns
from console.app import Console, make_app
from console.commands import Commands
from console.jumping import LETTERS, hints
from console.memory import Memory
from console.screens.arranged import ArrangedScreen
from console.screens.columns import ColumnsScreen
from console.screens.dialogs import ConfirmScreen
from console.screens.endpoint import EndpointScreen
from console.screens.endpoints import EndpointsScreen
from console.screens.exports import export
from console.screens.home import HomeScreen
from console.screens.job import JobScreen
from console.screens.jobs import JobsScreen
from console.screens.jump import JumpScreen
from console.screens.listing import ListScreen
from console.screens.palette import PaletteScreen
from console.screens.tuning_trials import OWN, Trials
from console.trail import Place, Trail
from console.widgets.heading import labels
from console.widgets.line import Line
from console.widgets.rows import Rows
from tests.console.conftest import until
from tests.console.scripted import Scripted, endpoints, job_detail, jobs, populated
from workflows import topics
from workflows.topics import Snapshot

SMALL = (80, 24)


def listed(app: Console) -> Rows[object]:
    return app.screen.query_one("#list", Rows)


def heading(app: Console) -> str:
    return listed(app).render_line(0).text


def cells(app: Console) -> str:
    """The rows of the list that are in sight."""
    return "\n".join(listed(app).render_line(y).text for y in range(1, listed(app).size.height))


def navigation(app: Console) -> str:
    assert app.base_screen is not None
    return app.base_screen.query_one("#nav", Line).text


def message(app: Console) -> str:
    return app.flash_text[0] if app.flash_text else ""


class TestCommandLine:
    async def test_a_section_with_a_filter_an_alias_and_a_resource(self, app: Console) -> None:
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("colon", *"jobs failed", "enter")
            await until(pilot, lambda: isinstance(app.screen, JobsScreen))
            await until(pilot, lambda: [row.status for row in listed(app).items] == ["Failed"])  # type: ignore[attr-defined]
            await pilot.press("colon", *"endpoints challenger", "enter")
            await until(pilot, lambda: isinstance(app.screen, EndpointsScreen))
            assert app.screen.filter == "challenger"  # type: ignore[attr-defined]
            name = jobs()[1].name
            await pilot.press("colon", *f"job {name}", "enter")
            await until(pilot, lambda: isinstance(app.screen, JobScreen))
            await pilot.press("colon", *"endpoint not-seen-by-any-screen", "enter")
            await until(pilot, lambda: isinstance(app.screen, EndpointScreen))
            assert app.screen.name_of == "not-seen-by-any-screen"  # type: ignore[attr-defined]
            await pilot.press("colon", "q", "enter")
            await until(pilot, lambda: not app.is_running)
        assert app.return_value == 0

    async def test_the_end_is_never_guessed(self, app: Console) -> None:
        """`:i` and Enter ended the console: of all commands quit has an i first."""
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("colon", "i", "enter")
            await pilot.pause()
            assert app.is_running and not app._exit
            commands = Commands(app)
            for text in ("i", "x", "u", "it", "qt", "leave"):
                assert not {"quit", "exit", "q"} & {found.command for found in commands.suggestions(text)}, (
                    text
                )
            for text in ("q", "qu", "quit", "exi"):
                assert commands.suggestions(text)[0].leaves, text

    async def test_parts_and_actions_of_the_screen_are_commands(self, app: Console) -> None:
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("2", "enter", "colon", *"settings", "enter")
            await until(pilot, lambda: getattr(app.screen, "part", "") == "settings")

    async def test_tab_completes_and_again_takes_the_next(self, app: Console) -> None:
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("colon", *"endp", "tab")
            line = app.screen.query_one(Input)
            assert line.value == "endpoints "
            await pilot.press(*"chal", "tab")
            assert line.value == "endpoints chal"
            await pilot.press("ctrl+u", *"mo", "tab")
            first = line.value
            await pilot.press("tab")
            assert first != line.value and "mo" in line.value, "again: the next one"

    async def test_what_the_command_goes_on_with_stands_behind_the_cursor(self, app: Console) -> None:
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("colon", *"refr")
            line = app.screen.query_one(Input)
            await until(pilot, lambda: line._suggestion == "refresh")
            await pilot.press("right")
            assert line.value == "refresh"

    async def test_commands_typed_before_come_back_also_in_another_console(self, tmp_path: Path) -> None:
        memory = Memory(tmp_path / "console.json")
        app = make_app(populated(), memory=memory)
        async with app.run_test(size=SMALL) as pilot:
            for text in ("jobs failed", "endpoints chal"):
                await pilot.press("colon", *text, "enter")
                await until(pilot, lambda: not isinstance(app.screen, PaletteScreen))
        memory.flush()
        again = make_app(populated(), memory=Memory(tmp_path / "console.json"))
        async with again.run_test(size=SMALL) as pilot:
            await pilot.press("colon", *"dra", "ctrl+p")
            line = again.screen.query_one(Input)
            assert line.value == "endpoints chal"
            await pilot.press("ctrl+p", "ctrl+p")
            assert line.value == "jobs failed"
            await pilot.press("ctrl+n", "ctrl+n")
            assert line.value == "dra"
            await pilot.press("ctrl+u", "enter")
            assert isinstance(again.screen, EndpointsScreen), "an empty line does nothing"
            await pilot.press("colon", "down", "up", "enter")  # but offers the last command first
            await until(pilot, lambda: isinstance(again.screen, EndpointsScreen))

    async def test_read_only_offers_nothing_that_changes_something(self) -> None:
        app = make_app(populated(read_only=True))
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("2")
            words = {item.command for item in Commands(app).suggestions("")}
            assert "filter" in words and "stop" not in words


class TestLists:
    async def test_every_column_sorts_and_an_order_is_typed(self, app: Console) -> None:
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("2")
            seen = []
            for _ in range(6):
                await pilot.press("s")
                seen.append(app.screen.sorted_by[0].id)  # type: ignore[attr-defined]
            assert seen == ["name", "status", "kind", "type", "created", "duration"]
            await pilot.press("colon", *"sort name desc", "enter")
            await until(pilot, lambda: not isinstance(app.screen, PaletteScreen))
            names = [row.name for row in listed(app).items]  # type: ignore[attr-defined]
            assert names == sorted(names, reverse=True)
            assert "Name ▼" in heading(app)

    async def test_a_click_on_a_heading_sorts_and_again_turns_round(self, app: Console) -> None:
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("2")
            x = heading(app).index("Duration")
            await pilot.click("#list", offset=(x, 0))
            assert "Duration ▼" in heading(app)
            await pilot.click("#list", offset=(x, 0))
            assert "Duration ▲" in heading(app)

    async def test_a_filter_reaches_the_list_of_a_section_in_which_something_was_left_open(
        self, app: Console
    ) -> None:
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("3")
            await until(pilot, lambda: listed(app).items)
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, EndpointScreen))
            await pilot.press("2", "colon", *"endpoints moons", "enter")
            await until(
                pilot, lambda: isinstance(app.screen, EndpointsScreen) and app.screen.filter == "moons"
            )

    async def test_a_click_on_a_key_in_the_key_line_presses_it(self, app: Console) -> None:
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("2")
            line = app.screen.query_one("#keys", Line)
            await until(pilot, lambda: "filter" in line.render_line(0).text)
            await pilot.click("#keys", offset=(line.render_line(0).text.index("filter"), 0))
            await until(pilot, lambda: isinstance(app.focused, Input))
            await pilot.press("escape")
            await pilot.click("#keys", offset=(line.render_line(0).text.index("command"), 0))
            await until(pilot, lambda: isinstance(app.screen, PaletteScreen))

    async def test_fuzzy_words_bring_the_closest_first_and_a_wrong_field_is_said(self, app: Console) -> None:
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("2", "slash", *"-f moons", "enter")
            assert all("moons" in row.name for row in listed(app).items[:2])  # type: ignore[attr-defined]
            await pilot.press("slash", "ctrl+u", *"colour:red")
            assert "no field 'colour'" in message(app)
            await pilot.press("ctrl+u", *"moons")
            assert app.screen.query_one("#keys", Line).text.split() == [
                "Tab",
                "kind",
                "Esc",
                "leave",
                "F1",
                "help",
            ], "no letter is told that would be typed"
            assert not message(app), "what is right now is not complained of"
            await pilot.press("ctrl+u", *"colour:red", "enter")
            assert "no field 'colour'" in "\n".join(listed(app).render_line(y).text for y in range(6))

    async def test_a_filter_finds_what_stands_in_the_cells(self) -> None:
        """Not what moves while nothing happens: that only by its name."""
        app = make_app(populated(batch=True))
        async with app.run_test(size=(200, 40)) as pilot:
            for section, found, none in (
                ("2", ["accuracy", "0.91", "result:0.91", "kind:transform", "created:07:44"], "07:44"),
                ("3", ["$0.17", "cost:0.17", "instances:t2", "created:07:45"], "07:45"),
                ("5", ["3.233", "cost:0.019", "32/40", "best:3.2"], "07:53"),
            ):
                await pilot.press(section)
                await until(pilot, lambda found=found: found[0] in cells(app))  # type: ignore[misc]
                screen, rows = app.screen, listed(app)
                assert isinstance(screen, ListScreen)
                everything = len(rows.items)
                for text in (*found, none):
                    screen.set_filter(text)
                    shown = len(rows.items)
                    assert shown == 0 if text == none else 0 < shown < everything, text
            await pilot.press("4", "slash", *"0.8933", "enter")
            scored = [line for line in cells(app).splitlines() if "accuracy" in line]
            assert len(scored) == 1 and "moons-20270115-074355-c0de" in scored[0]
            await pilot.press("slash", "ctrl+u", *"ago", "enter")
            assert not listed(app).items

    async def test_what_the_filter_looks_at_is_told_before_its_first_letter(self, app: Console) -> None:
        """And again for those only of which more has become known."""
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("2")
            await until(pilot, lambda: listed(app).items)
            screen, rows = app.screen, listed(app).items
            assert isinstance(screen, ListScreen) and not screen.arrangement._told
            await pilot.press("slash")
            await until(pilot, lambda: len(screen.arrangement._told) == len(rows))
            told = dict(screen.arrangement._told)
            screen.arrived(Snapshot(topic=topics.job(rows[0].name), value=job_detail(rows[0])))
            screen.set_filter("o")
            assert [told[id(row)] is screen.arrangement._told[id(row)] for row in rows] == [False] + [
                True
            ] * (len(rows) - 1)
            screen.set_filter("")
            await pilot.press("escape")
            screen.show_rows()
            assert not screen.arrangement._told, "it takes room only while somebody looks for something"

    async def test_jobs_of_several_kinds_are_marked_where_no_column_tells_their_kind(self) -> None:
        app = make_app(populated(batch=True))
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("2")
            await until(pilot, lambda: "⇉" in cells(app))
            marked = [
                line.partition("⇉")[2].split()[0][:6] for line in cells(app).splitlines() if "⇉" in line
            ]
            assert marked == ["boston", "fraud-", "moons-"]
            assert "⇉ Transform" in app.screen.query_one("#parts", Line).text
            await pilot.press("tab")
            assert "⇉" not in cells(app)
            await pilot.press("shift+tab")
            await pilot.resize_terminal(160, 40)
            await until(pilot, lambda: "Kind" in heading(app) and "⇉" not in cells(app))

    async def test_columns_are_chosen_ordered_and_remembered_for_the_target(self, tmp_path: Path) -> None:
        path = tmp_path / "console.json"
        memory = Memory(path)
        app = make_app(populated(), memory=memory)
        async with app.run_test(size=(118, 24)) as pilot:
            await pilot.press("2", "C")
            assert isinstance(app.screen, ColumnsScreen)
            await pilot.press("down", "down", "space")  # kind
            await pilot.press("end", "space", *["K"] * 8, "enter")  # step, behind the name
            assert isinstance(app.screen, JobsScreen)
            assert heading(app).split()[:3] == ["Name", "Step", "Status"]
            assert "Kind" not in heading(app)
            await pilot.press("s", "slash", *"moons", "enter")
        memory.flush()
        kept = json.loads(path.read_text())["targets"]["embedded us-east-1"]["lists"]["jobs"]
        assert (
            kept["columns"][:2] == ["name", "step"] and kept["filter"] == "moons" and kept["sort"] == "name"
        )

        again = make_app(populated(), memory=Memory(path))
        async with again.run_test(size=(118, 24)) as pilot:
            await pilot.press("2")
            assert heading(again).split()[:3] == ["Name", "▲", "Step"]
            assert "/moons" in navigation(again)
            await pilot.press("colon", *"view default", "enter")
            await until(pilot, lambda: "Kind" in heading(again))
            assert "/moons" not in navigation(again)

        elsewhere = make_app(populated(target="aws"), memory=Memory(path))
        async with elsewhere.run_test(size=(118, 24)) as pilot:
            await pilot.press("2")
            assert "Kind" in heading(elsewhere)

    async def test_the_last_column_cannot_be_hidden_and_columns_can_be_as_they_come(
        self, app: Console
    ) -> None:
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("3", "C", *["space", "down"] * 7)
            screen = app.screen
            assert isinstance(screen, ColumnsScreen) and len(screen._shown) == 1
            await pilot.press("d", "enter")
            assert app.screen.view.columns == ()  # type: ignore[attr-defined]

    async def test_a_view_gets_a_name(self, app: Console) -> None:
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("2", "slash", *"failed", "enter")
            await pilot.press("colon", *"view save broken", "enter")
            await until(pilot, lambda: "View broken is saved" in message(app))
            await pilot.press("escape")
            assert "/failed" not in navigation(app)
            await pilot.press("colon", *"view broken", "enter")
            await until(pilot, lambda: "/failed" in navigation(app))
            await pilot.press("colon", *"view delete broken", "enter")
            await until(pilot, lambda: app.saved_views("jobs") == {})


async def test_what_a_command_takes_is_said_where_it_is_given_something_else() -> None:
    app = make_app(populated(read_only=True))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2")
        known = Commands(app)
        assert not known.suggestions("sort foo") and "name, status, kind" in known.instead("sort foo")
        assert known.instead(":theme nope").startswith("After theme there can be: dark, light")
        assert known.instead("stop") == "Read-only: stop is switched off here."
        assert known.instead("nothing at all") == known.instead("xyz") == ""


class TestMarks:
    async def test_marked_jobs_are_stopped_after_one_question_that_names_them(
        self, services: Scripted
    ) -> None:
        from tests.console.scripted import job_row

        rows = tuple(job_row(f"job-{letter}", "InProgress", 60 + n) for n, letter in enumerate("abcd"))
        services.publish(topics.JOBS, (*rows, job_row("job-done", "Completed", 500, 60)))
        app = make_app(services)
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("2", "space", "down", "V", "slash", *"job-", "enter")
            assert listed(app).chosen == {"job-a", "job-b", "job-c"}
            assert "3 marked" in navigation(app)
            await pilot.press("x")
            screen = app.screen
            assert isinstance(screen, ConfirmScreen)
            shown = str(screen.listed)
            assert all(f"job-{letter}" in shown for letter in "abc") and "job-d" not in shown
            await pilot.press("right", "enter")
            await until(pilot, lambda: "3 jobs are asked to stop" in message(app))
            assert {call[1] for call in services.done if call[0] == "stop_job"} == {"job-a", "job-b", "job-c"}
            assert not listed(app).chosen

    async def test_what_cannot_be_stopped_is_left_out_and_a_failure_keeps_its_mark(
        self, services: Scripted
    ) -> None:
        from tests.console.scripted import job_row
        from workflows.problem import Problem

        services.publish(
            topics.JOBS,
            (
                job_row("a", "InProgress", 60),
                job_row("b", "InProgress", 61),
                job_row("done", "Completed", 500, 60),
            ),
        )
        app = make_app(services)
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("2", "asterisk", "x")
            assert isinstance(app.screen, ConfirmScreen) and list(app.screen.listed) == ["a", "b"]
            services.fail = Problem("You may not.", "Ask for it.", "denied")
            await pilot.press("right", "enter")
            await until(pilot, lambda: type(app.screen).__name__ == "MessageScreen")
            await pilot.press("enter")
            assert listed(app).chosen == {"a", "b", "done"}
            await pilot.press("escape")
            assert not listed(app).chosen

    async def test_a_mark_goes_with_what_it_was_on(self, services: Scripted) -> None:
        """Another job of the same name is not what was marked; what another part shows keeps its mark."""
        from tests.console.scripted import job_row

        rows = tuple(job_row(name, "InProgress", 60 + n) for n, name in enumerate(("a", "b", "c")))
        services.publish(topics.JOBS, rows)
        app = make_app(services)
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("2", "asterisk", *["tab"] * 3)
            services.publish(topics.JOBS, rows[1:])
            await until(pilot, lambda: "2 marked · no jobs" in navigation(app))
            await pilot.press("tab")
            services.publish(topics.JOBS, rows)
            await until(pilot, lambda: len(listed(app).items) == 3)
            assert listed(app).chosen == {"b", "c"}

    async def test_on_aws_the_number_is_typed_with_the_verb(self) -> None:
        services = populated(target="aws")
        app = make_app(services)
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("3", "asterisk", "d")
            await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
            assert list(app.screen.listed) == [row.name for row in listed_rows(app)]  # type: ignore[attr-defined]
            assert app.screen._blocked("Delete all 2")  # type: ignore[attr-defined]
            await pilot.press(*f"delete {len(endpoints())}", "enter")
            await until(pilot, lambda: "deleted" in message(app))
            assert sum(call[0] == "delete_endpoint" for call in services.done) == len(endpoints())


def listed_rows(app: Console) -> list[Any]:
    assert app.base_screen is not None
    return list(app.base_screen.query_one("#list", Rows).items)


class TestTheWayBack:
    async def test_brackets_go_through_the_screens_seen(self, app: Console) -> None:
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("2", "enter", "3", "down", "enter")
            assert isinstance(app.screen, EndpointScreen)
            name = app.screen.name_of
            for kind in (EndpointsScreen, JobScreen, JobsScreen, HomeScreen):
                await pilot.press("left_square_bracket")
                await until(pilot, lambda kind=kind: isinstance(app.screen, kind), str(kind))  # type: ignore[misc]
            await pilot.press("left_square_bracket")
            assert isinstance(app.screen, HomeScreen) and "Nothing was seen before" in message(app)
            for kind in (JobsScreen, JobScreen, EndpointsScreen, EndpointScreen):
                await pilot.press("right_square_bracket")
                await until(pilot, lambda kind=kind: isinstance(app.screen, kind), str(kind))  # type: ignore[misc]
            assert app.screen.name_of == name  # type: ignore[attr-defined]

    def test_a_step_elsewhere_forgets_what_lay_ahead(self) -> None:
        trail = Trail()
        for name in ("home", "jobs", "endpoints"):
            trail.visit(Place(name))
        assert trail.step(-2) == Place("home")
        trail.visit(Place("home"))
        assert trail.step(1) == Place("jobs")
        trail.visit(Place("costs"))
        assert [str(place) for place in trail.places] == ["home", "jobs", "costs"]
        assert trail.step(1) is None and trail.step(-3) is None


class TestJumping:
    async def test_a_window_that_is_dragged_leaves_it_once(self, app: Console) -> None:
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("2", "apostrophe")
            screen = app.screen
            assert isinstance(screen, JumpScreen)
            for size in (Size(70, 23), Size(60, 22), Size(50, 22)):
                screen.post_message(Resize(size, size))
            await until(pilot, lambda: isinstance(app.screen, JobsScreen))

    async def test_letters_stand_over_sections_headings_and_rows(self, app: Console) -> None:
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("2", "apostrophe")
            screen = app.screen
            assert isinstance(screen, JumpScreen)
            places = {hint: place for hint, (place, _) in screen._targets.items()}
            third = next(hint for hint, place in places.items() if place.y >= 5 and place.x < 3)
            x, y = places[third]
            assert screen._picture.render_line(y).text[x : x + len(third)] == third
            await pilot.press(*third)
            await until(pilot, lambda: isinstance(app.screen, JobsScreen))
            await pilot.press("apostrophe")
            assert isinstance(app.screen, JumpScreen)
            endpoints_entry = [hint for hint, (place, _) in app.screen._targets.items() if place.y == 1][2]
            await pilot.press(*endpoints_entry)
            await until(pilot, lambda: isinstance(app.screen, EndpointsScreen))
            await pilot.press("apostrophe", "escape")
            assert isinstance(app.screen, EndpointsScreen)

    async def test_a_heading_is_sorted_by_and_a_field_gets_the_focus(self, app: Console) -> None:
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("2", "apostrophe")
            screen = app.screen
            assert isinstance(screen, JumpScreen)
            y, x = listed_y(app), heading_x(app, "Duration")
            hint = next(hint for hint, (place, _) in screen._targets.items() if (place.x, place.y) == (x, y))
            await pilot.press(*hint)
            await until(pilot, lambda: app.base_screen.sorted_by[0].id == "duration")  # type: ignore[union-attr]
            await pilot.press("4", "enter", "ctrl+o")
            assert isinstance(app.screen, JumpScreen)
            hint, (_, go) = list(app.screen._targets.items())[-1]
            await pilot.press(*hint)
            await until(pilot, lambda: app.screen.focused is getattr(go, "__self__", None))

    @pytest.mark.parametrize("number", [0, 1, 26, 27, 51, 52, 300, 676])
    def test_hints_are_short_and_none_begins_another(self, number: int) -> None:
        found = hints(number)
        assert len(set(found)) == number
        assert sum(map(len, found)) <= 2 * number
        ones = {hint for hint in found if len(hint) == 1}
        assert not any(hint[0] in ones for hint in found if len(hint) == 2)
        assert set("".join(found)) <= set(LETTERS)


def listed_y(app: Console) -> int:
    assert app.base_screen is not None
    return app.base_screen.query_one("#list", Rows).content_region.y


def heading_x(app: Console, label: str) -> int:
    assert app.base_screen is not None
    rows = app.base_screen.query_one("#list", Rows)
    return next(
        rows.content_region.x + start
        for column, start, _ in labels(rows._layout())
        if rows._columns[column].label == label
    )


class TestMemory:
    def test_two_consoles_keep_what_the_other_wrote(self, tmp_path: Path) -> None:
        path = tmp_path / "deep" / "console.json"
        one, other = Memory(path), Memory(path)
        one.put("a", "targets", "x", "sort")
        other.put("b", "targets", "y", "sort")
        one.flush()
        other.flush()
        assert Memory(path).get("targets") == {"x": {"sort": "a"}, "y": {"sort": "b"}}

    def test_a_broken_file_costs_the_memory_only(self, tmp_path: Path) -> None:
        path = tmp_path / "console.json"
        path.write_text('{"targets": [1, ')
        memory = Memory(path)
        assert memory.get("targets", "x") is None and memory.commands() == []
        memory.add_command("jobs")
        memory.flush()
        assert Memory(path).commands() == ["jobs"]

    def test_a_command_typed_again_moves_to_the_end(self) -> None:
        memory = Memory()
        for text in ("a", "b", "a"):
            memory.add_command(text)
        assert memory.commands() == ["b", "a"]


class TestElsewhere:
    async def test_another_console_begins_where_the_last_one_was_left(self, tmp_path: Path) -> None:
        memory = Memory(tmp_path / "console.json")
        app = make_app(populated(), memory=memory)
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("2", "down", "enter")
            assert isinstance(app.screen, JobScreen)
        memory.flush()
        again = make_app(populated(), memory=Memory(tmp_path / "console.json"))
        async with again.run_test(size=SMALL) as pilot:
            await until(pilot, lambda: isinstance(again.screen, JobScreen))
            assert again.screen.name_of == jobs()[1].name  # type: ignore[attr-defined]
            await pilot.press("1")
            assert isinstance(again.screen, HomeScreen)
        third = make_app(
            populated(), memory=Memory(tmp_path / "console.json"), first_run="moons-20270115-074355-c0de"
        )
        async with third.run_test(size=SMALL) as pilot:
            await until(pilot, lambda: type(third.screen).__name__ == "RunScreen")

    async def test_a_profile_is_switched_to_and_the_next_console_is_on_aws(
        self, app: Console, services: Scripted
    ) -> None:
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("colon", *"profile res")
            await until(pilot, lambda: app.screen.found and app.screen.found[0].command == "profile research")  # type: ignore[attr-defined]
            await pilot.press("enter")
            await until(pilot, lambda: app.moving_to is not None)
        assert services.closed
        there = app.moving_to
        assert there is not None and (there.target, there.profile) == ("aws", "research")

    async def test_regions_and_profiles_are_offered_on_aws_and_the_embedded_region_is_explained(
        self, app: Console
    ) -> None:
        def found(console: Console) -> list[str]:
            return [item.command for item in getattr(console.screen, "found", ())]

        there = make_app(populated(target="aws"))
        async with there.run_test(size=SMALL) as pilot:
            await pilot.press("colon", *"switch", "enter")
            await until(pilot, lambda: found(there)[:2] == ["profile prod", "profile research"])
            await pilot.press("ctrl+u", *"region ")
            await until(pilot, lambda: found(there)[:2] == ["region eu-central-1", "region eu-west-1"])
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("colon", *"region eu-west-1", "enter")
            await until(pilot, lambda: "keeps the region it was started in" in message(app))
            await pilot.press("colon", *"switch", "enter")
            await until(pilot, lambda: found(app)[:2] == ["target embedded", "target aws"])


async def test_the_columns_of_every_list_are_known_without_a_console(app: Console) -> None:
    """`mlconsole doctor` looks at saved views by them."""
    found: dict[str, ArrangedScreen[Any]] = {}
    async with app.run_test(size=SMALL) as pilot:
        for keys in ("2", "3", "3a", "5", "6", "6\t", ":audit\n", ":targets\n"):
            await pilot.press(*({"\t": "tab", "\n": "enter", ":": "colon"}.get(key, key) for key in keys))
            await until(pilot, lambda: isinstance(app.screen, ArrangedScreen) and app.screen.view_place not in found)  # fmt: skip
            screen = app.screen
            assert isinstance(screen, ArrangedScreen)
            found[screen.view_place] = screen
            known = screen.all_columns
            assert listcolumns.COLUMNS[screen.view_place] == tuple(known)
            unsorted = tuple(name for name, column in known.items() if column.key is None)
            assert listcolumns.UNSORTED.get(screen.view_place, ()) == unsorted
    trials = Trials(lambda: 0.0).all_columns
    assert tuple(trials) == listcolumns.COLUMNS["trials"] == (*OWN,)
    assert found.keys() | {"trials"} == listcolumns.COLUMNS.keys()


async def test_a_list_as_csv_has_dates_seconds_and_words(
    app: Console, services: Scripted, tmp_path: Path
) -> None:
    async with app.run_test(size=(160, 48)) as pilot:
        await pilot.press("2")
        rows = app.screen.query_one("#list", Rows)
        await until(pilot, lambda: rows.items)
        export(app, "csv", str(tmp_path / "jobs.csv"))
        await until(pilot, (tmp_path / "jobs.csv").exists)
        known = {row.name: row for row in rows.items}
    table = list(csv.DictReader((tmp_path / "jobs.csv").read_text().splitlines()))
    assert len(table) == len(known) > 3
    for row in table:
        job = known[row["name"]]
        assert row["status"] == job.status
        assert datetime.fromisoformat(row["created"]).timestamp() == pytest.approx(job.created, abs=0.001)
        assert row["created"].endswith("Z")
        if job.ended:
            assert float(row["duration"]) == pytest.approx(job.ended - job.created, abs=0.001)
