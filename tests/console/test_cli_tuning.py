"""``mlconsole tuning`` and ``mlconsole transform`` on a real engine: what is started, told, compared, deployed and read."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest

from console.__main__ import main
from console.cli.ranges import parse_range, parse_ranges
from tests.stopping import stop_engine
from tests.workflows import trials
from workflows import interfaces
from workflows.configuration import Configuration
from workflows.interfaces.waiting import EMBEDDED, Waiter
from workflows.platform import open_platform

pytestmark = pytest.mark.timeout(400)


@dataclass
class World:
    """An engine with one training job (``fit``) and one tuning job made from it by the command line (``tuned``)."""

    engine: Path
    folder: Path
    started: list[str]

    def run(self, capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> tuple[str, str]:
        """Output and error of a command."""
        code = main(list(arguments))
        out, err = capsys.readouterr()
        assert code == status, out + err
        return out, err

    def json(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
        return json.loads(self.run(capsys, *arguments, "--json")[0])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("engine"), tmp_path_factory.mktemp("files"), [])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLCONSOLE_ENGINE_DIR", str(made.engine))
        platform = open_platform(Configuration())
        low = interfaces.make("low", platform)
        template = trials.request(platform, low, made.folder, "fit").templates[0]
        low.tuning.run("fit", template, {**template.static, "rate": "0.5", "depth": "2"}, {})

        def ended() -> tuple[bool, object]:
            state = low.describe_training("fit")
            assert state is not None and state.status != "Failed", state
            return state.ended, state

        Waiter(EMBEDDED, threading.Event()).until(ended, "the training job", 60)
        code = main(
            ["tuning", "start", "fit", "--name", "tuned", "-r", "rate=0.05:0.8", "-r", "depth=1,2", "--jobs", "3", "--strategy",
             "random", "--seed", "1", "--yes", "--watch"]
        )  # fmt: skip
        assert code == 0
    yield made
    stop_engine(made.engine)


@pytest.fixture(autouse=True)
def _on_engine(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCONSOLE_ENGINE_DIR", str(world.engine))


def test_a_tuning_job_is_listed_and_shown(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = world.run(capsys, "tuning", "ls", "--status", "Completed", "--name", "tun")
    assert "tuned" in out and "✓ Completed" in out and "3/3" in out and "validation:loss" in out
    (row,) = world.json(capsys, "tuning", "list", "--name", "tuned")
    assert row["counts"]["completed"] == 3 and row["best_value"] > 0
    out, _ = world.run(capsys, "tuning", "show", "tuned")
    for text in (
        "Minimize validation:loss", "3 of 3 ended, 2 at a time: 3 completed", "0.05 … 0.8", "1, 2", "sagemaker_program",
        "about $", "Best trial",
    ):  # fmt: skip
        assert text in out
    assert world.json(capsys, "tuning", "show", "tuned")["HyperParameterTuningJobName"] == "tuned"
    _, err = world.run(capsys, "tuning", "show", "lost", status=1)
    assert err == "Error: There is no tuning job lost. `mlconsole tuning ls` lists them.\n"


def test_trials_are_sorted_as_asked(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    rows = world.json(capsys, "tuning", "trials", "tuned")
    values = [row["value"] for row in rows]
    assert values == sorted(values) and len(values) == 3
    rates = [
        float(row["tuned"]["rate"])
        for row in world.json(capsys, "tuning", "trials", "tuned", "--sort", "rate", "--reverse")
    ]
    assert rates == sorted(rates, reverse=True)
    out, err = world.run(capsys, "tuning", "trials", "tuned", "-n", "1")
    assert out.count("\n") == 2 and rows[0]["name"] in out and "There are more: --limit shows them." in err
    out, err = world.run(capsys, "tuning", "trials", "tuned", "-n", "1", "--json")
    assert len(json.loads(out)) == 1 and "There are more: --limit shows them." in err
    assert "There are more" not in world.run(capsys, "tuning", "trials", "tuned", "-n", "3")[1]
    _, err = world.run(capsys, "tuning", "trials", "tuned", "--sort", "colour", status=2)
    assert "'colour' is none of value, name, status, created, duration, cost, rate, depth." in err
    _, err = world.run(capsys, "tuning", "trials", "tuned", "--status", "Failed")
    assert "It has no such trial." in err


def test_what_cannot_be_told_is_said(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = world.run(capsys, "tuning", "importance", "tuned")
    assert "3 trials with a value are too few to tell what matters" in out
    assert world.json(capsys, "tuning", "importance", "tuned")["sentence"].startswith("3 trials")
    _, err = world.run(capsys, "tuning", "importance", "tuned", "--definition", "x", status=2)
    assert "'x' is none of its definitions" in err


def test_the_default_is_run_and_compared(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = world.run(capsys, "tuning", "compare", "tuned")
    assert (
        "0 default runs with a value" in out and "`mlconsole tuning compare tuned --run 5` makes them." in err
    )
    out, err = world.run(capsys, "tuning", "compare", "tuned", "--run", "3", "--yes")
    assert "Started tuned-default-03." in err
    assert "(3 runs)" in out and "default" in out
    found = world.json(capsys, "tuning", "compare", "tuned")
    assert found["verdict"] in ("better", "worse", "inside") and len(found["values"]) == 3
    assert found["spread"] == 0.0


def test_a_warm_start_searches_the_same(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    _, err = world.run(capsys, "tuning", "warm-start", "tuned", "-r", "colour=1:2", "--yes", status=2)
    assert "tuned has not searched colour" in err
    out, _ = world.run(
        capsys,
        "tuning",
        "warm-start",
        "tuned",
        "--name",
        "warm",
        "-r",
        "rate=0.2:0.4",
        "--jobs",
        "1",
        "--yes",
        "--watch",
    )
    assert "Completed: 1 of 1 trials ended, 0 running" in out
    shown = world.json(capsys, "tuning", "show", "warm")
    assert shown["WarmStartConfig"]["WarmStartType"] == "IdenticalDataAndAlgorithm"
    out, _ = world.run(capsys, "tuning", "watch", "warm", "--json")
    assert json.loads(out)["status"] == "Completed"
    out, _ = world.run(capsys, "tuning", "delete", "warm", "--yes")
    assert out == "Deleted warm.\n"


def test_the_best_is_deployed_and_stopping_what_has_ended_is_refused(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    told = world.json(capsys, "tuning", "deploy", "tuned", "--endpoint", "best", "--yes")
    assert (told["endpoint"], told["status"]) == ("best", "InService")
    out, _ = world.run(capsys, "endpoints", "invoke", "best", "-d", "1")
    assert float(out) == pytest.approx(1 + told["value"], abs=1e-5)
    world.run(capsys, "endpoints", "delete", "best", "--yes")
    _, err = world.run(capsys, "tuning", "stop", "tuned", "--yes", status=1)
    assert err.startswith("Error: ") and err.count("\n") == 1


def test_nothing_is_started_without_consent_or_with_a_mistake(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = world.run(
        capsys,
        "tuning",
        "start",
        "fit",
        "-r",
        "rate=1e-3:1:log",
        "--set",
        "depth=3",
        "--maximize",
        "--dry-run",
    )
    call = json.loads(out)
    (rate,) = call["HyperParameterTuningJobConfig"]["ParameterRanges"]["ContinuousParameterRanges"]
    assert rate == {"Name": "rate", "MinValue": "0.001", "MaxValue": "1.0", "ScalingType": "Logarithmic"}
    assert call["TrainingJobDefinition"]["StaticHyperParameters"]["depth"] == "3"
    assert call["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["Type"] == "Maximize"
    for arguments, told in (
        (["start", "fit", "-r", "rate=1:2"], "say --yes"),
        (["start", "fit", "--yes"], "Say it with --range."),
        (["start", "fit", "-r", "rate=2:1", "--yes"], "the lower bound is not below the upper one"),
        (
            ["start", "fit", "-r", "rate=1:2", "--set", "rate=1", "--yes"],
            "rate is searched: it cannot be set too.",
        ),
        (["start", "fit", "-r", "rate=1:2", "--set", "rate", "--yes"], "'rate' is not an assignment"),
        (["start", "fit", "-r", "rate=1:2", "--resource", "9:1", "--yes"], "Write 1:27."),
        (["compare", "tuned", "--run", "2"], "say --yes"),
        (["deploy", "tuned"], "say --yes"),
        (["stop", "tuned"], "say --yes"),
        (["delete", "tuned"], "say --yes"),
    ):
        _, err = world.run(capsys, "tuning", *arguments, status=2)
        assert told in err and err.count("\n") == 1
    _, err = world.run(capsys, "tuning", "start", "lost", "-r", "rate=1:2", "--yes", status=1)
    assert "There is no training job lost." in err
    _, err = world.run(
        capsys, "tuning", "start", "fit", "--name", "x" * 40, "-r", "rate=1:2", "--yes", status=1
    )
    assert "32" in err and err.count("\n") == 1


def test_a_file_of_this_machine_is_transformed_and_read(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = world.folder / "given.csv"
    rows.write_text("".join(f"{number}\n" for number in range(12)))
    out, _ = world.run(
        capsys,
        "transform",
        "start",
        "fit",
        "-i",
        str(rows),
        "--name",
        "batch",
        "--accept",
        "text/csv",
        "--wait",
        "--yes",
    )
    assert "Completed" in out and "12 records" in out
    out, _ = world.run(capsys, "transform", "ls")
    assert "batch" in out and "✓ Completed" in out
    assert [row["name"] for row in world.json(capsys, "transform", "list", "--name", "batch")] == ["batch"]
    out, _ = world.run(capsys, "transform", "show", "batch")
    assert "100%, 12 records" in out and "model           fit" in out
    out, err = world.run(capsys, "transform", "output", "batch", "-n", "2")
    pairs = [line.split("\t") for line in out.splitlines()]
    assert [given for given, _ in pairs] == ["0", "1"] and "There are more" in err
    assert float(pairs[1][1]) - float(pairs[0][1]) == pytest.approx(1)
    out, _ = world.run(capsys, "transform", "output", "batch", "--all", "--json")
    assert [json.loads(line)["input"] for line in out.splitlines()] == [str(number) for number in range(12)]
    out, _ = world.run(capsys, "transform", "output", "batch", "--alone", "-n", "1")
    assert "\t" not in out
    assert world.json(capsys, "transform", "wait", "batch")["status"] == "Completed"
    out, _ = world.run(capsys, "transform", "logs", "batch", "--follow")
    assert out.strip()


def test_transforms_say_what_is_wrong(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, status, told in (
        (["show", "lost"], 1, "There is no transform job lost."),
        (["stop", "lost", "--yes"], 1, "There is no transform job lost."),
        (["wait", "lost"], 1, "There is no transform job lost."),
        (["output", "lost"], 1, "There is no transform job lost."),
        (["start", "fit", "-i", "nothing.csv"], 2, "'nothing.csv' is neither an S3 URI nor a file."),
        (
            ["start", "lost", "-i", "s3://b/x", "--yes"],
            1,
            "There is neither a model nor a training job lost.",
        ),
        (["start", "fit", "-i", "s3://b/x"], 2, "say --yes"),
    ):
        _, err = world.run(capsys, "transform", *arguments, status=status)
        assert told in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "kind", "shown", "scaling"),
    [
        ("eta=0.1:0.5", "continuous", ("0.1", "0.5"), "Auto"),
        ("rate=1e-4:1:log", "continuous", ("0.0001", "1.0"), "Logarithmic"),
        ("depth=3:12", "integer", ("3", "12"), "Auto"),
        ("depth=-3:12:linear", "integer", ("-3", "12"), "Linear"),
        ("m=0:0.99:reverse-log", "continuous", ("0.0", "0.99"), "ReverseLogarithmic"),
    ],
)
def test_ranges_are_read(text: str, kind: str, shown: tuple[str, str], scaling: str) -> None:
    found = parse_range(text)
    assert (found.kind, (found.low_text, found.high_text), found.scaling) == (kind, shown, scaling)


def test_choices_are_read() -> None:
    found = parse_range("booster=gbtree, dart")
    assert (found.name, found.kind, found.values) == ("booster", "categorical", ("gbtree", "dart"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("eta", "it is no assignment"),
        ("=1:2", "it is no assignment"),
        ("eta=a:b", "its bounds are no numbers"),
        ("eta=1:inf", "its bounds are not finite"),
        ("eta=2:2", "the lower bound is not below the upper one"),
        ("eta=0:1:log", "a logarithmic scale needs bounds above 0"),
        ("eta=0:1.0:reverse-log", "from 0 to below 1"),
        ("eta=0:1:cubic", "'cubic' is none of auto, linear, log, reverse-log"),
        ("eta=0:1:log:2", "there is more than low:high:scale"),
        ("kind=a,,b", "a value is empty"),
        ("kind=a,a", "a value comes twice"),
    ],
)
def test_what_is_no_range_is_told_with_the_form(text: str, why: str) -> None:
    with pytest.raises(click.BadParameter, match="Write name=low:high") as told:
        parse_range(text)
    assert why in str(told.value)


def test_a_name_comes_once() -> None:
    with pytest.raises(click.BadParameter, match="eta comes twice"):
        parse_ranges(("eta=0:1", "eta=1:2"))
