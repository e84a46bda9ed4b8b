"""Any resource as AWS describes it, S3, and what is taken away from the screen: code, exports."""

from __future__ import annotations

import ast
import csv
import json
import shlex
from dataclasses import replace
from itertools import count
from pathlib import Path
from xml.dom import minidom

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from console import document, exporting
from console.app import Console, make_app
from console.screens.bucket import BucketScreen, Item, aligned
from console.screens.compare import CompareScreen, together
from console.screens.dialogs import ChoiceScreen
from console.screens.exports import export
from console.screens.help import TextScreen
from console.screens.inspect import InspectScreen, marked, next_place
from console.screens.jobs import JobsScreen
from console.widgets.charts import ChartGrid
from console.widgets.drawing import Series
from console.widgets.line import Line
from console.widgets.page import Page
from console.widgets.rows import Rows
from tests.console import inspect_data
from tests.console.conftest import until
from tests.console.scripted import Scripted, job_detail, jobs
from workflows import topics
from workflows.inspecting.comparing import apart
from workflows.problem import Problem
from workflows.wording import STEERING

SMALL = (80, 24)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


def rows(app: Console, name: str) -> Rows[object]:
    return app.screen.query_one(f"#{name}", Rows)


def text(rows: Rows[object]) -> str:
    return "\n".join(rows.render_line(y).text for y in range(rows.size.height))


def message(app: Console) -> str:
    return app.flash_text[0] if app.flash_text else ""


async def test_an_export_of_a_list_that_is_not_all_there_is_says_so(
    services: Scripted, tmp_path: Path
) -> None:
    app = make_app(services)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, JobsScreen) and app.screen.listed())
        for more, complete, told in (
            (True, True, "Written, only the newest: "),
            (False, False, "Written, only what has come so far: "),
            (False, True, "Written: "),
        ):
            services.publish(topics.JOBS, jobs(), more=more, complete=complete)
            await pilot.pause()
            export(app, "csv", str(tmp_path / f"{told.split()[-1]}{more}.csv"))
            await until(pilot, lambda told=told: told in message(app))


class TestDocuments:
    @given(st.dictionaries(st.text(max_size=6), JSON, max_size=5))
    def test_every_value_stands_in_a_row_and_is_found_again(self, value: dict[str, object]) -> None:
        every = document.nodes(value)
        assert len({node.path for node in every}) == len(every)
        for node in every:
            document.at(value, node.path)
        assert {node.path for node in document.nodes(value, document.foldable(value))} == {
            (name,) for name in value
        }

    @given(JSON)
    def test_json_and_yaml_say_the_same(self, value: object) -> None:
        assert json.loads(document.as_json(value)) == value
        if not any("\x85" in part or not part.isprintable() for part in [document.as_json(value)]):
            assert yaml.safe_load(document.as_yaml(value)) == value

    @pytest.mark.parametrize("character", ["\u202e", "\u2066", "\u200f", "\x9b", "\x7f", "\x1b"])
    def test_yaml_steers_no_terminal_and_says_the_same(self, character: str) -> None:
        value = {f"key{character}": [f"a{character}b: c", {"long": f"x {character} " * 40}], "plain": "ü"}
        written = document.as_yaml(value)
        assert character not in written and "plain: ü" in written
        assert yaml.safe_load(written) == value

    def test_a_search_finds_names_and_values(self) -> None:
        value = {"A": {"Name": "x"}, "B": [{"name": "y"}, "a NAME"]}
        assert document.found(value, "name") == [("A", "Name"), ("B", 0, "name"), ("B", 1)]

    def test_matches_go_round(self) -> None:
        assert [
            next_place([2, 5, 9], here, step)
            for here, step in ((0, 0), (5, 0), (5, 1), (9, 1), (5, -1), (2, -1))
        ] == [2, 5, 9, 2, 2, 9]
        assert "".join(part for part, _ in marked("aXbxc", "x")) == "aXbxc"
        assert [part for part, role in marked("aXbxc", "x") if role] == ["X", "x"]


async def test_describe_folds_searches_and_copies(app: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr(app, "copy", lambda text, what: copied.append(text))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2", "down", "J")
        assert isinstance(app.screen, InspectScreen)
        name = jobs()[1].name
        await until(pilot, lambda: "TrainingJobName" in text(rows(app, "describe")))
        assert "▸ HyperParameters" in text(rows(app, "describe")), "fifteen members are folded at first"
        await pilot.press("slash", *"option-7", "enter")
        await until(pilot, lambda: rows(app, "describe").cursor_key == ("HyperParameters", "option-7"))
        await pilot.press("y", "minus", "y")
        assert copied[0] == "7" and json.loads(copied[1])["epochs"] == "80"
        assert "▸ AlgorithmSpecification" in text(rows(app, "describe"))
        await pilot.press("enter")
        assert "epochs" in text(rows(app, "describe"))
        await pilot.press("tab")
        assert '"TrainingJobStatus": "Completed"' in app.screen.query_one("#json", Page).text
        await pilot.press("tab", "y")
        assert yaml.safe_load(copied[2]) == inspect_data.job(name)
        await pilot.press("escape", "escape")
        assert isinstance(app.screen, JobsScreen)


async def test_code_is_chosen_and_copied(app: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr(app, "copy", lambda text, what: copied.append(text))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2", "down", "Y")
        await until(
            pilot, lambda: isinstance(app.screen, InspectScreen) and len(rows(app, "snippets").items) == 5
        )
        await pilot.press("y", "down", "y", "enter")
        await until(pilot, lambda: isinstance(app.screen, TextScreen))
        await until(pilot, lambda: "import boto3" in app.screen.query_one(Page).text)  # all of it, to scroll
        await pilot.press("y", "escape")
    assert shlex.split(copied[0].replace("\\\n", "")) == [
        "aws", "sagemaker", "describe-training-job", "--training-job-name", jobs()[1].name, "--region", "us-east-1",
    ]  # fmt: skip
    assert max(map(len, copied[0].splitlines())) <= SMALL[0]
    ast.parse(copied[1])
    assert copied[2] == copied[1]


async def test_a_value_that_finds_no_room_is_read_whole(app: Console) -> None:
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("2", "down", "J")
        await until(pilot, lambda: isinstance(app.screen, InspectScreen) and rows(app, "describe").items)
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, TextScreen))
        whole = app.screen.query_one(Page)
        await until(pilot, lambda: jobs()[1].name in whole.text.replace("\n", ""))
        assert max(map(len, whole.text.splitlines())) <= whole.size.width


async def test_related_resources_lead_from_the_job_to_its_model_and_into_s3(app: Console) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2", "down", "R")
        await until(
            pilot, lambda: isinstance(app.screen, InspectScreen) and len(rows(app, "related").items) == 5
        )
        await pilot.press("end", "enter")
        await until(pilot, lambda: isinstance(app.screen, InspectScreen) and app.screen.kind == "model")
        await pilot.press("R")
        await until(pilot, lambda: any(one.kind == "s3" for one in rows(app, "related").items))  # type: ignore[attr-defined]
        await pilot.press("end", "enter")
        await until(pilot, lambda: isinstance(app.screen, BucketScreen))
        await pilot.press("left_square_bracket", "left_square_bracket")
        await until(pilot, lambda: isinstance(app.screen, InspectScreen) and app.screen.kind == "job")


async def test_s3_is_gone_through_and_an_object_is_previewed(app: Console) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("colon", *"s3", "enter")
        await until(pilot, lambda: isinstance(app.screen, BucketScreen) and rows(app, "list").items)
        await pilot.press("enter")
        await until(pilot, lambda: "moons/" in text(rows(app, "list")))
        await pilot.press("enter")
        await until(pilot, lambda: "moons.csv" in text(rows(app, "list")))
        entries = rows(app, "list")
        for largest_first in (True, False):
            entries.post_message(Rows.HeadingPressed(entries, 1))
            await pilot.pause()
            sizes = [item.size for item in entries.items if item.size >= 0]  # type: ignore[attr-defined]
            assert len(sizes) > 1 and sizes == sorted(sizes, reverse=largest_first)
        await pilot.press("s")
        moments = [item.modified for item in entries.items if item.size >= 0]  # type: ignore[attr-defined]
        assert moments == sorted(moments, reverse=True), "by time, the newest first"
        await pilot.press("S")
        assert [item.modified for item in entries.items if item.size >= 0] == moments[::-1]  # type: ignore[attr-defined]
        await pilot.press("slash", *"notes", "enter", "enter")
        await until(pilot, lambda: "0.5,1.2,0" in app.screen.query_one("#preview", Page).text)
        await pilot.press("escape", "u")
        await until(pilot, lambda: app.screen.uri == inspect_data.BUCKET + "/")  # type: ignore[attr-defined]


async def test_what_was_read_has_the_whole_width_of_a_narrow_screen(app: Console) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await app.open_s3(f"{inspect_data.BUCKET}/moons/moons.csv")
        await until(pilot, lambda: isinstance(app.screen, BucketScreen) and rows(app, "list").current)
        page = app.screen.query_one("#preview", Page)
        await pilot.press("tab")
        await until(pilot, lambda: "0.5,1.2,0" in page.text)
        assert rows(app, "list").has_focus
        await pilot.press("enter")
        assert page.has_focus and not rows(app, "list").display
        await pilot.press("escape")
        assert rows(app, "list").has_focus and rows(app, "list").display
        await pilot.press("tab", "tab")
        assert rows(app, "list").has_focus
        await pilot.press("tab", "u")
        await until(pilot, lambda: app.screen.uri == inspect_data.BUCKET + "/")  # type: ignore[attr-defined]
        assert rows(app, "list").has_focus and rows(app, "list").display


async def test_an_object_that_is_gone_is_said_to_be(app: Console, services: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await app.open_s3(f"{inspect_data.BUCKET}/moons/gone.csv")
        await until(pilot, lambda: "gone.csv is not there" in str(app.flash_text))
        await app.open_s3(f"{inspect_data.BUCKET}/moons/train")  # a folder, without its slash
        await until(pilot, lambda: rows(app, "list").cursor_key == f"{inspect_data.BUCKET}/moons/train/")
        await pilot.press("down")
        services.fail = Problem("There is no object x.", "List what is there.", "404")
        await pilot.press("enter")
        page = app.screen.query_one("#preview", Page)
        await until(
            pilot, lambda: "There is no object x." in page.text and "List what is there." in page.text
        )


def test_csv_stands_in_columns() -> None:
    assert aligned(["name,n", '"a, b",1', "c,200"]) == ["name    n", "a, b    1", "c     200"]
    assert aligned(['"two', 'lines",1']) == ['"two', 'lines",1']
    assert aligned([",".join("0" * 300)]) == ["  ".join("0" * 100) + "  … 200 more columns"]


async def test_what_is_not_there_is_said(app: Console, services: object) -> None:
    services.fail = Problem("There is no training job x.", "It may have been deleted.", "not-found")  # type: ignore[attr-defined]
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2", "J")
        await until(pilot, lambda: "There is no training job x." in text(rows(app, "describe")))
        await pilot.press(
            "y", "minus", "slash", "x", "enter", "n", "tab", "n", "y", "tab", "tab", "y", "tab", "y", "enter"
        )


class TestExports:
    async def test_a_list_as_it_is_shown_and_a_picture(
        self, app: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MLCONSOLE_STATE_DIR", str(tmp_path))
        async with app.run_test(size=(118, 24)) as pilot:
            await pilot.press("2", "s", "slash", *"moons", "enter")
            monkeypatch.chdir(tmp_path)
            path = Path("a.csv")
            await pilot.press("colon", *f"export csv {path}", "enter")
            await until(pilot, lambda: "Written" in message(app))
            lines = list(csv.reader(path.read_text().splitlines()))
            names = sorted(row.name for row in jobs() if "moons" in row.name)
            assert lines[0][:2] == ["name", "status"] and [line[0] for line in lines[1:]] == names
            assert path.stat().st_mode & 0o777 == 0o600
            await pilot.press("colon", *f"export csv {path}", "enter")
            await until(
                pilot,
                lambda: "exists already" in message(app) or type(app.screen).__name__ == "MessageScreen",
            )
            if type(app.screen).__name__ == "MessageScreen":
                await pilot.press("enter")
            await pilot.press("E", "right", "enter")
            await until(pilot, lambda: list((tmp_path / "exports").glob("jobs-*.json")))
            written = next((tmp_path / "exports").glob("jobs-*.json"))
            await until(pilot, lambda: written.read_text().endswith("]\n"))
            assert [row["name"] for row in json.loads(written.read_text())] == names
            await pilot.press("E", "right", "right", "enter")
            await until(pilot, lambda: list((tmp_path / "exports").glob("jobs-*.svg")))

    async def test_a_picture_is_taken_from_within_a_question_a_field_and_by_a_command(
        self, app: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MLCONSOLE_STATE_DIR", str(tmp_path))
        taken = count(1)
        monkeypatch.setattr(exporting, "file_name", lambda what, kind: f"{what}-{next(taken)}.{kind}")

        def text(number: int) -> str:
            return (tmp_path / "exports" / f"jobs-{number}.svg").read_text().replace("&#160;", " ")

        async with app.run_test(size=(118, 24)) as pilot:
            await pilot.press("2", "x")
            await until(pilot, lambda: isinstance(app.screen, ChoiceScreen))
            await pilot.press("f9")
            await until(pilot, lambda: "Written" in message(app))
            assert isinstance(app.screen, ChoiceScreen), "the question still stands"
            assert "Cancel" in text(1) and "Esc leaves" in text(1)
            assert "Written" in app.export_screenshot().replace("&#160;", " "), (
                "it is told below the question"
            )
            await pilot.press("escape", "colon", *"pict", "f9", "enter")
            await until(pilot, lambda: len(list((tmp_path / "exports").iterdir())) == 3)
            assert "completes" in text(2) and "completes" not in text(3), "with the command line, and by it"

    async def test_a_picture_of_what_would_steer_a_terminal_is_xml_and_steers_none(
        self, app: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MLCONSOLE_STATE_DIR", str(tmp_path))
        async with app.run_test(size=(118, 24)) as pilot:
            await pilot.press("2")
            app.flash("an evil \x1b[31m\x07\x00\u202ename")
            await pilot.pause()
            await pilot.press("f9")
            await until(pilot, lambda: list((tmp_path / "exports").glob("*.svg")))
            (written,) = (tmp_path / "exports").glob("*.svg")
            picture = written.read_text()
        assert "evil" in picture and minidom.parseString(picture).documentElement.tagName == "svg"
        assert not {letter for letter in picture if ord(letter) in STEERING} - set("\n\t")

    @pytest.mark.parametrize(
        ("size", "said"), [((80, 24), "← → Enter · Esc leaves"), ((60, 20), "Esc leaves")]
    )
    async def test_a_question_is_as_high_as_it_says_and_tells_how_to_leave(
        self, app: Console, size: tuple[int, int], said: str
    ) -> None:
        async with app.run_test(size=size) as pilot:
            await pilot.press("2", "E")
            await until(pilot, lambda: isinstance(app.screen, ChoiceScreen))
            await pilot.pause()
            assert app.screen.query_one(".dialog").size.height <= 10
            choices = app.screen.query_one("#choices", Line)
            assert choices.size.height == 1 and choices.render_line(0).text.rstrip().endswith(said)

    def test_a_spreadsheet_runs_nothing(self) -> None:
        text = exporting.as_csv(["a", "b"], [["=cmd()", "-1.5"], ["+x", "ok, then"]])
        assert list(csv.reader(text.splitlines())) == [["a", "b"], ["'=cmd()", "-1.5"], ["'+x", "ok, then"]]


async def test_two_jobs_are_compared_in_settings_and_curves(app: Console, services: Scripted) -> None:
    left, right = jobs()[1], jobs()[0]
    other = job_detail(right)
    changed = replace(other, hyperparameters={**other.hyperparameters, "epochs": "160"})
    services.publish(topics.job(right.name), changed)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2", "equals_sign")
        assert "Mark two training jobs" in message(app)
        await pilot.press("space", "space", "equals_sign")
        screen = app.screen
        assert isinstance(screen, CompareScreen) and screen.names == (left.name, right.name)
        await until(pilot, lambda: "epochs" in text(rows(app, "differences")))
        line = next(line for line in text(rows(app, "differences")).splitlines() if "epochs" in line)
        assert line.split()[-1].startswith(("+", "−"))
        before = len(rows(app, "differences").items)
        await pilot.press("d")
        assert len(rows(app, "differences").items) > before
        await pilot.press("tab", "a", "o", "n")
        await until(
            pilot, lambda: any("A" in part for line in screen.query_one(ChartGrid)._lines for part, _ in line)
        )
        await pilot.press("escape", "left_square_bracket", "right_square_bracket")


def test_two_values_are_told_apart_by_what_differs() -> None:
    assert apart("s3://b/src/one/source.tar.gz", "s3://b/src/other/source.tar.gz") == (
        "…one/source.tar.gz", "…other/source.tar.gz",
    )  # fmt: skip
    assert (
        apart("0.25", "0.5") == ("0.25", "0.5") and apart("s3://b/src/a", "s3://b/src/a")[0] == "s3://b/src/a"
    )


def test_a_folder_in_s3_may_have_no_name() -> None:
    assert [Item(uri, size).name for uri, size in (("s3://b/a//", -1), ("s3://b/a/", -1), ("s3://b/a/x", 0))] == [
        "/", "a/", "x",
    ]  # fmt: skip


def test_a_chart_of_two_jobs_holds_the_same_metric_of_both() -> None:
    one = Series("train:loss", ((0.0, 1.0), (1.0, 0.5)))
    found = together([("", (one, replace(one, name="validation:loss")))], [("", (one,))])
    assert [(title, [series.name for series in group]) for title, group in found] == [
        ("train:loss", ["A", "B"]),
        ("validation:loss", ["A", "B –"]),
    ]
    only_b = together([], [("", (one,))])
    assert [[series.name for series in group] for _, group in only_b] == [["A –", "B"]]  # in B's colour
