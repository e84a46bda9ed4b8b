"""Whole runs at a reduced size as a person launches them: by the installed command, or from its menu in tmux."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.aws.validity import run_violations
from tests.console.command import COMMAND
from tests.console.tmux import Tmux
from tests.workflows.conftest import everything
from tests.workflows.told import end, of_kind
from workflows import events, runs
from workflows.configuration import Configuration
from workflows.platform import open_platform
from workflows.runs import Run
from workflows.studies.catalog import catalog, find
from workflows.studies.gates import QUESTION
from workflows.studies.parameters import Value, parse_all

TMUX = shutil.which("tmux") is not None
SMALL, LARGE = (80, 24), (160, 48)
LONGEST = 300.0
Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Launched:
    """A run that has ended, all of its events, and what was on the screen at its end."""

    run: Run
    events: list[events.Event]
    screen: str

    @property
    def last(self) -> events.RunFinished:
        return end(self.events)

    def of_kind(self, kind: type[Any], step: str = "") -> list[Any]:
        return of_kind(kind, self.events, step)

    def table(self, begins: str) -> events.Table:
        """The one table whose title begins so."""
        (found,) = [one for one in of_kind(events.Table, self.events) if one.title.startswith(begins)]
        return found

    @property
    def titles(self) -> list[str]:
        """The titles of the tables and figures on the data."""
        shown: list[Any] = [*self.of_kind(events.Table), *self.of_kind(events.Figure)]
        return [one.title for one in shown if one.step != "cleanup"]

    @property
    def called(self) -> list[str]:
        """The operations of SageMaker and the others that it called, in order."""
        return [one.operation for one in of_kind(events.ApiCall, self.events)]

    @property
    def gates(self) -> dict[str, str]:
        """The verdict of each gate, by its name."""
        return {one.name: one.verdict for one in of_kind(events.Gate, self.events)}

    @property
    def script(self) -> str:
        return runs.code(runs.read(self.run.folder))


class Home:
    """A person's home: an engine that stays warm from run to run, and a console in tmux."""

    def __init__(self, folder: Path, real: str) -> None:
        self.folder, self._real = folder, real
        self._console: Tmux | None = None
        self._launched: dict[str, Launched] = {}

    @property
    def real(self) -> Path:
        """The folder with real data; skips where there is none."""
        if not self._real:
            pytest.skip("needs real data: MLCONSOLE_DATA_DIR names no folder")
        return Path(self._real)

    def variables(self) -> dict[str, str]:
        return {"MLCONSOLE_HOME": str(self.folder)} | (
            {"MLCONSOLE_DATA_DIR": self._real} if self._real else {}
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The installed command in this home, on pipes."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MLCONSOLE_"))
        }
        return subprocess.run(
            [COMMAND, *arguments], capture_output=True, text=True, timeout=LONGEST, check=False, env=kept | self.variables()
        )  # fmt: skip

    def command(self, study: str, interface: str, settings: Settings, *options: str) -> Launched:
        """``mlconsole run``, up to its end."""
        before = {run.id for run in runs.list_runs()}
        given = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
        done = self.run("run", study, "--interface", interface, "--yes", *given, *options)
        (run,) = [one for one in runs.list_runs() if one.id not in before]
        assert done.returncode == 0, (done.stdout[-2000:], done.stderr, run.log.read_text()[-3000:])
        assert f"✓ {study} completed in " in done.stdout
        return self._ended(run, done.stdout, study, interface, settings)

    def menu(self, study: str, interface: str, settings: Settings) -> Launched:
        """A study chosen in the list, its form filled, started and watched to its end."""
        with self._watched():
            self.form(study)
            self.fill(study, interface, settings)
            return self.start(study, interface, settings)

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """A console that was left in the middle of something is not the next one's."""
        try:
            yield
        except BaseException:
            if self._console is not None:
                self._console.close()
                self._console = None
            raise

    def once(
        self, study: str, interface: str, settings: Settings, *, menu: bool = False, real: bool = False
    ) -> Launched:
        """A run that several tests look at: it is launched by the first of them, by command or from the menu; skips where there are
        no ``real`` data."""
        if real:
            assert self.real
        key = json.dumps([study, interface, settings], sort_keys=True)
        if key not in self._launched:
            launch = self.menu if menu else self.command
            self._launched[key] = launch(study, interface, settings)
        return self._launched[key]

    @property
    def console(self) -> Tmux:
        """The console, opened once: the studies are launched from it one after another."""
        if self._console is None:
            self._console = Tmux(**self.variables())
            self._console.shows("EMBEDDED")
        return self._console

    def gallery(self) -> Tmux:
        """The console, with the list of studies and runs."""
        console = self.console
        console.press("1")
        console.shows("Latest runs" if runs.list_runs() else "Press 4")
        console.press("4", "4")
        console.shows("Case studies")
        return console

    def form(self, study: str) -> Tmux:
        """The console, with the form of a study, opened from the list."""
        console = self.gallery()
        place = [info.name for info in catalog()].index(study)
        console.press("Home", *["Down"] * place, "Enter")
        console.shows(find(study).title)
        console.shows("boto3: every AWS call by hand")
        return console

    def fill(self, study: str, interface: str, settings: Settings) -> None:
        """Go down the form that is open, and set what is to be set: the way a person does it."""
        fields = ["interface", "keep", *(one.name for one in find(study).parameters)]
        self._choose(["low", "high"], interface)
        for name in fields[1:]:
            self.console.press("Down")
            if name in settings:
                self._set(study, name, settings[name])

    def _set(self, study: str, name: str, value: Value) -> None:
        parameter = next(one for one in find(study).parameters if one.name == name)
        if parameter.type == "choice":
            values = [one for one, _ in parameter.choices]
            at = values.index(str(parameter.default))
            self._choose([*values[at:], *values[:at]], str(value))
        else:
            self.console.press("C-a", "C-k")
            self.console.write(str(value))

    def _choose(self, values: list[str], wanted: str) -> None:
        """Go to the value of a choice, of these in their order from the one that stands there."""
        self.console.press(*["Right"] * values.index(wanted))
        self.console.shows(f"◂ {wanted} ▸")

    def start(self, study: str, interface: str, settings: Settings) -> Launched:
        """Ctrl+S on the form that is open, and watch the run to its end; what it asks is answered with deploy."""
        before = {run.id for run in runs.list_runs()}
        console = self.console
        console.shows("Ctrl+S  starts the run")
        console.press("C-s")
        console.shows(find(study).steps[0][1], seconds=LONGEST)
        (run,) = [one for one in runs.list_runs() if one.id not in before]
        deadline = time.monotonic() + LONGEST
        answered = False
        while (now := runs.read(run.folder)).active:
            assert time.monotonic() < deadline, f"{run.id} never ended:\n{console.screen}"
            if now.status == "waiting" and not answered:
                self._answer(run)
                answered = True
            time.sleep(0.2)
        console.until(lambda text: f" {now.status}" in text, f"the end: {now.message}")
        screen = console.rests()
        assert now.status == "completed", (now.message, screen, run.log.read_text()[-3000:])
        return self._ended(run, screen, study, interface, settings)

    def _answer(self, run: Run) -> None:
        """Host the model although a gate fails, in the dialog that opened by itself."""
        asked = runs.read(run.folder).question
        assert asked is not None and asked["question"] == QUESTION
        choices = list(asked["choices"])
        self.console.shows("← → Enter")
        self.console.press(
            *["Right"] * ((choices.index("deploy") - choices.index(asked["default"])) % len(choices)), "Enter"
        )

    def again(
        self, study: str, ended: Launched, interface: str, *, size: tuple[int, int] = LARGE
    ) -> Launched:
        """Find a run in the list, and run it again through another interface: n fills the form with its settings."""
        with self._watched():
            console = self.gallery()
            console.resize(*size)
            console.press("/")
            console.write(ended.run.id)
            console.press("Enter")
            console.hides("Case studies")
            console.press("Enter")
            console.shows("n run again")
            console.press("n")
            console.shows("Ctrl+S  starts the run")
            console.press(*["Right"] * (interface != ended.run.interface))
            console.shows(f"◂ {interface} ▸")
            found = self.start(study, interface, ended.run.parameters)
            console.resize(*SMALL)
            console.press("4", "4")
            console.shows("Runs")
            console.press("Escape")  # drops the filter
            console.shows("Case studies")
        return found

    def _ended(self, run: Run, screen: str, study: str, interface: str, settings: Settings) -> Launched:
        """What must hold at the end of every run."""
        found = Launched(runs.read(run.folder), everything(run), screen)
        info, metrics = find(study), found.last.metrics
        assert (found.run.status, found.run.study, found.run.interface) == ("completed", study, interface)
        assert found.run.parameters == parse_all(
            info.parameters, {name: str(one) for name, one in settings.items()}
        )
        done = {one.step: one.status for one in found.of_kind(events.StepFinished)}
        assert list(done) == [step for step, _ in info.steps]
        assert set(done.values()) == {"done"} or (run.keep and done.pop("cleanup") == "skipped")
        summed = [(one.metric, one.unit) for one in info.measures if one.sums_up]
        assert summed[0][0] in metrics
        for name, unit in summed:  # a study leaves out what it was told to leave out
            assert 0 < metrics.get(name, 1) <= (1 if unit == "share" else 1e3), (name, metrics[name])
        assert run_violations(run) == []
        if "synthetic" in metrics:
            _data_are_labelled(found, synthetic=settings.get("data") == "synthetic")
        if not run.keep:
            assert found.last.left_behind == [] == self.left(run)
        script = found.script
        compile(script, "script.py", "exec")
        assert ("ModelTrainer" in script) == (interface == "high")
        return found

    def left(self, run: Run) -> list[str]:
        """What of a run stands in the account still: models, endpoints, their configurations, objects."""
        platform = open_platform(Configuration())
        client = platform.client("sagemaker")
        names = [one["ModelName"] for one in client.list_models(NameContains=run.id)["Models"]]
        names += [one["EndpointName"] for one in client.list_endpoints(NameContains=run.id)["Endpoints"]]
        names += [
            one["EndpointConfigName"]
            for one in client.list_endpoint_configs(NameContains=run.id)["EndpointConfigs"]
        ]
        listed = platform.client("s3").list_objects_v2(Bucket=platform.bucket, Prefix=f"mlconsole/{run.id}/")
        return names + [one["Key"] for one in listed.get("Contents", [])]

    def close(self) -> None:
        """Leave the console and the engine; nothing goes on."""
        try:
            if self._console is not None:
                self._console.press("1", "q")
                self._console.shows("left with 0")
        finally:
            if self._console is not None:
                self._console.close()
            for run in runs.list_runs():
                if run.active:
                    self.run("runs", "stop", run.id)
            self.run("engine", "stop")


def _data_are_labelled(found: Launched, *, synthetic: bool) -> None:
    """Made-up data are called so wherever they are seen, and no others."""
    metrics, message = found.last.metrics, found.last.message
    prepared = found.of_kind(events.StepFinished, "prepare")[0].summary
    if synthetic:
        assert metrics["synthetic"] == 1 and "SYNTHETIC" in message
        assert [title for title in found.titles if "SYNTHETIC" not in title] == []
        assert prepared.startswith("Synthetic data: ")
        assert "SYNTHETIC" in found.screen
    else:
        assert metrics["synthetic"] == 0
        assert "SYNTHETIC" not in "".join([message, *found.titles, found.screen])
        assert prepared.startswith("Real data")
        assert "real data" in found.screen.lower()
