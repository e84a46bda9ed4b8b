"""A person's own keys: what a file may say, what is wrong with it and where, and that it counts while the console runs."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import Static

from console import actions, keymap
from console.app import Console, make_app
from console.cli.root import cli
from console.keymap import parse, textual_key
from console.keynames import key_name
from console.screens.dialogs import MessageScreen
from console.screens.endpoints import EndpointsScreen
from console.screens.help import HelpScreen
from console.screens.home import HomeScreen
from console.screens.jobs import JobsScreen
from console.watching import Watcher
from console.widgets.line import Line
from console.widgets.page import Page
from console.widgets.prompt import Prompt
from tests.console.conftest import until
from tests.console.scripted import populated


def mistakes(text: str) -> list[str]:
    return [str(mistake) for mistake in parse(text)[1]]


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("x", "x"),
        ("X", "X"),
        ("?", "question_mark"),
        ("'", "apostrophe"),
        ("Ctrl+X", "ctrl+x"),
        ("ctrl+shift+Up", "ctrl+shift+up"),
        ("Alt+x", "alt+x"),
        ("F12", "f12"),
        ("Esc", "escape"),
        ("PgDn", "pagedown"),
        ("↓", "down"),
        ("Ctrl+Space", "ctrl+@"),
        ("question_mark", "question_mark"),
        ("Hyper+x", None),
        ("banana", None),
        ("F40", None),
    ],
)
def test_keys_are_written_as_people_write_them(written: str, key: str | None) -> None:
    assert textual_key(written) == key


def test_every_key_of_the_registry_can_be_written_as_it_is_shown() -> None:
    for action in actions.ACTIONS:
        for key in action.keys.split(","):
            assert not key or textual_key(key_name(key)) == key, key


def test_the_template_changes_nothing_also_without_its_comments() -> None:
    text = keymap.template()
    assert parse(text) == (keymap.Keymap(), [])
    lines = [line[2:] for line in text.splitlines() if line.startswith("# ") and " = " in line]
    found, wrong = parse("\n".join(lines))
    assert not wrong
    assert all(found.keys(action) == keymap.Keymap().keys(action) for action in actions.ACTIONS)


def test_both_ways_of_toml_and_several_keys_and_none() -> None:
    found, wrong = parse('jobs.stop = ["Ctrl+X", "F8"]\napp.pause = ""\n[list]\n"down" = "j, down"\n')
    assert not wrong
    assert found.shown(actions.get("jobs.stop")) == "Ctrl+X F8"
    assert found.keys(actions.get("list.down")) == ["j", "down"]
    assert found.keys(actions.get("app.pause")) == [] and found.first(actions.get("app.pause")) == ":pause"


def test_what_is_wrong_is_said_with_its_line() -> None:
    assert mistakes("# mine\n\njobs.stpo = 'x'\n") == [
        "line 3: there is no action 'jobs.stpo'; did you mean jobs.stop?"
    ]
    assert mistakes("[jobs]\nstop = 'Hyper+q'\n") == [
        "line 2: 'Hyper+q' is no key: write x, X, ?, F5, Ctrl+X, Alt+X, Shift+Tab, PgDn …"
    ]
    assert mistakes("app.help = 'Ctrl+I'") == ["line 1: 'Ctrl+I' is Tab to most terminals: take another key"]
    assert mistakes("jobs.stop = 5")[0].startswith("line 1: 5 is no key")
    assert mistakes("app.pause = 'z'\njobs.stop 'x'\n")[0].startswith("line 2: it is not TOML: ")
    assert mistakes("app.theme = 'T'") == [
        "line 1: app.theme has no key and gets none; it is the command :theme"
    ]


def test_two_actions_with_one_key_are_a_mistake_unless_they_never_meet() -> None:
    assert mistakes("app.pause='z'\njobs.stop = 't'") == [
        "line 2: t is the key of jobs.stop and of jobs.tune (Tune): give one of them another"
    ]
    assert mistakes("jobs.stop = 'r'")[0].endswith("of app.refresh (Refresh): give one of them another")
    assert mistakes("jobs.stop = 'j'")[0].endswith("of list.down (Down): give one of them another")
    assert not mistakes("jobs.stop = 't'\njobs.tune = 'x'"), "they have changed places"
    assert not mistakes("jobs.stop = 'e'"), "e is a key of endpoints only"
    assert mistakes("app.quit = ''\napp.palette = ''") == [
        "line 1: app.quit and app.palette both have no key: nothing would leave the console"
    ]


@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    found, wrong = parse(text)
    assert not wrong or found == keymap.Keymap()


def key_line(app: Console) -> str:
    assert app.base_screen is not None
    return app.base_screen.query_one("#keys", Line).text


async def test_other_keys_work_are_shown_and_the_old_ones_do_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keymap.toml"
    path.write_text('app.jobs = "U"\njobs.filter = "F"\njobs.next_part = "m"\napp.quit = "Ctrl+Q"\n')
    app = make_app(populated(), keymap_file=path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.keymap.changed)
        await pilot.press("2", "q")
        assert isinstance(app.screen, HomeScreen) and app.is_running
        await pilot.press("U")
        assert isinstance(app.screen, JobsScreen)
        app.flash_text = None
        app.screen.draw_frame()
        assert "F filter" in key_line(app) and "m kind" in key_line(app) and "Ctrl+Q quit" in key_line(app)
        assert "U Jobs" in app.screen.query_one("#nav", Line).text
        await pilot.press(
            "F", *"moons"
        )  # the m of a word is no command, although that key has priority elsewhere
        assert app.screen.query_one(Prompt).input.value == "moons" and app.screen.part == "all"
        await pilot.press("enter", "m")
        assert app.screen.part == "training"
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        text = app.screen.query_one(Page).text
        assert any(line.split()[:1] == ["F"] and "Narrow" in line for line in text.splitlines())
        await pilot.press("escape", "colon", *"endpoints", "enter")
        await until(pilot, lambda: isinstance(app.screen, EndpointsScreen))


async def test_the_file_counts_as_soon_as_it_is_saved_and_a_mistake_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Watcher.__init__, "__kwdefaults__", {"every": 0.02})
    path = tmp_path / "keymap.toml"
    app = make_app(populated(), keymap_file=path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        assert isinstance(app.screen, JobsScreen)
        path.write_text('app.home = "H"\n')
        await until(pilot, lambda: app.keymap.changed == {"app.home": "H"})
        await pilot.press("H")
        assert isinstance(app.screen, HomeScreen)
        path.write_text('app.home = "H"\napp.costs = "H"\n')
        await until(pilot, lambda: isinstance(app.screen, MessageScreen))
        said = " ".join(
            str(one.render()) for one in app.screen.query(Static)
        )  # it is too long for the key line
        assert "keymap.toml, line 1: H is the key of app.home" in said
        assert app.keymap.changed == {"app.home": "H"}
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        path.write_text("nonsense.a = 'x'\nnonsense.b = 'y'\n")
        await until(pilot, lambda: isinstance(app.screen, MessageScreen))
        await pilot.press("enter")
        path.unlink()
        await until(pilot, lambda: not app.keymap.changed)


def test_a_watcher_ends() -> None:
    watcher = Watcher(list, lambda: None, every=0.01)
    watcher.start()
    watcher.stop()
    deadline = time.monotonic() + 60
    import threading

    while any(thread.name == "console-files" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_command_prints_checks_and_gives_a_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keymap.toml"
    monkeypatch.setenv("MLCONSOLE_KEYMAP", str(path))
    run = CliRunner()
    assert "does not exist" in run.invoke(cli, ["keys", "--check"]).output
    path.write_text('jobs.stop = "F8"\n')
    assert "changes 1 action" in run.invoke(cli, ["keys", "--check"]).output
    known = {
        entry["id"]: entry for entry in json.loads(run.invoke(cli, ["keys", "--json"]).output)["actions"]
    }
    assert (
        known["jobs.stop"]["keys"] == ["F8"]
        and known["jobs.stop"]["changed"]
        and not known["jobs.tune"]["changed"]
    )
    path.write_text('jobs.stop = "t"\n')
    result = run.invoke(cli, ["keys", "--check"])
    assert result.exit_code == 1 and f"{path}, line 1: t is the key of" in result.output
    assert parse(run.invoke(cli, ["keys", "--template"]).output) == (keymap.Keymap(), [])
