"""The virtual list: what it repaints, where its cursor stays, how it fits columns into a width."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import ComposeResult

from console.screens.titles import in_sight
from console.theme import Palette
from console.widgets.columns import LEAST, Cell, Column, laid_out
from console.widgets.line import Line
from console.widgets.rows import Rows


@dataclass(frozen=True)
class Thing:
    name: str
    state: str = "calm"
    title: str = ""


def things(number: int) -> list[Thing]:
    return [Thing(f"thing-{i:05d}") for i in range(number)]


class Host(Palette[None]):
    CSS = "Rows { height: 1fr; }"

    def __init__(self, items: Sequence[Thing]) -> None:
        super().__init__()
        self.items = items
        self.drawn = 0

    def compose(self) -> ComposeResult:
        self.rows: Rows[Thing] = Rows(
            [
                Column("Name", 12, grow=1, middle=True),
                Column("State", 8, watch=True),
                Column("Extra", 10, drop=1),
            ],
            key=lambda item: item.name,
            cells=self.cells,
            title=lambda item: item.title,
        )
        yield self.rows

    def cells(self, item: Thing) -> tuple[Cell, ...]:
        self.drawn += 1
        return (Cell(item.name), Cell(item.state), Cell("x"))

    def on_mount(self) -> None:
        self.rows.show(self.items)
        self.rows.focus()

    def line(self, y: int) -> str:
        return self.rows.render_line(y).text


async def test_only_visible_rows_are_drawn() -> None:
    app = Host(things(20_000))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        assert app.drawn < 400
        before = time.process_time()
        app.rows.show([replace(item, state="busy") for item in app.items])
        await pilot.pause()
        assert "busy" in app.line(1)
        assert time.process_time() - before < 5


async def test_only_changed_lines_are_repainted(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Host(things(1000))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        for y in range(20):
            app.line(y)
        painted: list[object] = []
        refresh = app.rows.refresh

        def noted(*regions: object, **more: bool) -> object:
            painted.extend(regions)
            return refresh(*regions, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(app.rows, "refresh", noted)
        changed = list(app.items)
        changed[3] = replace(changed[3], state="busy")
        changed[900] = replace(changed[900], state="busy")
        app.rows.show(changed)
        assert {region.y for region in painted} == {4}  # type: ignore[attr-defined]
        painted.clear()
        app.line(4)
        app.rows.show(list(changed))
        app.rows.repaint()
        assert painted == []


async def test_the_page_stays_while_rows_come_above_it() -> None:
    app = Host(things(200))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press(*["pagedown"] * 3)
        name, y = str(app.rows.cursor_key), app.rows.scroll_offset.y
        line = next(i for i in range(20) if name in app.line(i))
        app.rows.show([Thing("new-1"), Thing("new-2"), *app.items])
        await pilot.pause()
        assert app.rows.cursor_key == name
        assert app.rows.scroll_offset.y == y + 2
        assert name in app.line(line)


@given(
    st.lists(st.lists(st.integers(0, 40), unique=True, max_size=40), min_size=1, max_size=6),
    st.integers(0, 39),
)
@settings(max_examples=60, deadline=None)
def test_the_cursor_follows_its_key_through_any_change(lists: list[list[int]], start: int) -> None:
    rows: Rows[Thing] = Rows(
        [Column("Name", 12)], key=lambda item: item.name, cells=lambda item: (Cell(item.name),)
    )
    rows.post_message = lambda message: True  # type: ignore[method-assign]
    rows.show([Thing(str(i)) for i in range(41)])
    rows.put_cursor(str(start))
    for numbers in lists:
        held = rows.cursor_key
        rows.show([Thing(str(i)) for i in numbers])
        if held is not None and int(str(held)) in numbers:
            assert rows.cursor_key == held
        assert (rows.cursor_key is None) == (not numbers)
        if numbers:
            assert rows.current is not None and rows.current.name == rows.cursor_key


def under(app: Host) -> str:
    return str(app.rows.cursor_key)


async def test_the_cursor_passes_over_titles() -> None:
    items = [Thing("t1", title="First"), Thing("a"), Thing("t2", title="Second"), Thing("b")]
    app = Host(items)
    async with app.run_test(size=(60, 20)) as pilot:
        assert under(app) == "a"
        await pilot.press("down")
        assert under(app) == "b"
        await pilot.press("down")
        assert under(app) == "b"
        await pilot.press("up", "up")
        assert under(app) == "a"


async def test_columns_are_dropped_and_names_cut_in_the_middle() -> None:
    app = Host([Thing("a-very-long-name-that-differs-at-both-ends-4711")])
    async with app.run_test(size=(32, 10)) as pilot:
        await pilot.pause()
        assert "Extra" not in app.line(0)
        assert "…" in app.line(1) and "4711" in app.line(1) and "a-very" in app.line(1)
        await pilot.resize_terminal(90, 10)
        await pilot.pause()
        assert "Extra" in app.line(0)
        assert "both-ends-4711" in app.line(1)


async def test_five_thousand_rows_take_no_time_to_show() -> None:
    app = Host([])
    async with app.run_test(size=(160, 45)) as pilot:
        await pilot.pause()
        items = things(5000)
        best = min(_seconds(app, items) for _ in range(5))
        assert best < 0.4


def _seconds(app: Host, items: Sequence[Thing]) -> float:
    before = time.process_time()
    app.rows.show(items)
    for y in range(45):
        app.rows.render_line(y)
    return time.process_time() - before


COLUMNS = st.lists(
    st.builds(Column, st.just("x"), st.integers(1, 30), grow=st.integers(0, 3), drop=st.integers(0, 3)),
    min_size=1,
    max_size=7,
)


@given(COLUMNS, st.integers(1, 200))
def test_columns_fit_whole_into_any_width(columns: list[Column], room: int) -> None:
    widths = laid_out(columns, room)
    shown = [width for width in widths if width]
    assert shown and sum(shown) + 2 * (len(shown) - 1) <= room
    for column, width in zip(columns, widths, strict=True):
        alone = len(shown) == 1
        assert alone or width == 0 or width >= (min(column.width, LEAST) if column.grow else column.width)
    if sum(column.width + 2 for column in columns) - 2 <= room:
        assert all(width >= column.width for column, width in zip(columns, widths, strict=True))


def test_a_figure_is_never_cut_in_a_narrow_list() -> None:
    jobs = [
        Column("Name", 24, grow=1, middle=True),
        Column("Status", 13),
        Column("Created", 11),
        Column("Duration", 9, right=True),
    ]
    assert laid_out(jobs, 58) == [19, 13, 11, 9]  # the name gives way
    assert laid_out(jobs, 45) == [17, 13, 11, 0]  # then the last column leaves, and what it left is used
    assert laid_out(jobs, 10) == [10, 0, 0, 0]


async def test_a_cell_has_a_short_form_where_its_text_finds_no_room() -> None:
    app = Host(things(1))
    app.cells = lambda item: (Cell("a name that is too long", short="a name"), Cell("x"), Cell(""))  # type: ignore[method-assign]
    async with app.run_test(size=(60, 5)) as pilot:
        await pilot.pause()
        assert "a name that is too long" in app.line(1)
        await pilot.resize_terminal(36, 5)
        await pilot.pause()
        assert "a name  " in app.line(1) and "…" not in app.line(1)


@given(st.lists(st.integers(3, 12), min_size=1, max_size=9), st.data(), st.integers(24, 120))
def test_the_present_part_is_in_sight_with_as_many_others_as_fit(
    widths: list[int], data: st.DataObject, room: int
) -> None:
    here = data.draw(st.integers(0, len(widths) - 1))
    first, end = in_sight(widths, here, room)
    signs = 3 * (first > 0) + 3 * (end < len(widths))
    assert first <= here < end and sum(widths[first:end]) + 3 * (end - first - 1) + signs <= room
    if sum(widths) + 3 * (len(widths) - 1) <= room:
        assert (first, end) == (0, len(widths))


async def test_a_line_that_is_cut_says_so() -> None:
    class One(Palette[None]):
        def compose(self) -> ComposeResult:
            yield Line()

    app = One()
    async with app.run_test(size=(20, 3)) as pilot:
        line = app.query_one(Line)
        for left, shown in (
            ([("one two three", ""), ("   ", "")], "one two three"),
            ([("one two three four five six", "")], "one two three four…"),
            (
                [("one two", ""), ("   ", ""), ("three four", ""), ("   ", ""), ("five", "")],
                "one two   three f…",
            ),
            ([("one two three four", ""), ("  ", ""), ("five", "")], "one two three fou…"),
        ):
            line.show(left)
            await pilot.pause()
            text = line.render_line(0).text.rstrip()
            assert text.endswith("…") == shown.endswith("…") and len(text) < 20, text
            assert text.startswith(shown[:16])


async def test_a_narrow_list_draws_no_line_wider_than_itself() -> None:
    """Headings over groups have columns of their own, and a terminal may be made smaller than the first of them."""
    titled = [Thing("first", title="Group\tstate"), *things(3)]
    async with Host(titled).run_test(size=(40, 8)) as pilot:
        rows = pilot.app.query_one(Rows)
        for width in (40, 12, 5, 1):
            await pilot.resize_terminal(width, 8)
            await pilot.pause()
            for y in range(rows.size.height):
                strip = rows.render_line(y)
                assert (
                    sum(cell_len(segment.text) for segment in strip) == strip.cell_length == rows.size.width
                )
