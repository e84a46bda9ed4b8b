"""``mlconsole ab`` in one process on a real engine: from an endpoint to a promoted winner, and what is refused."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from console.__main__ import main
from tests.engine.deploying import Deployer, unique
from tests.workflows.conftest import engine_folder, on_engine
from tests.workflows.test_abtest_engine import THRESHOLD
from workflows.configuration import Configuration
from workflows.platform import Platform, open_platform

__all__ = ["engine_folder", "on_engine"]


@pytest.fixture
def platform(on_engine: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Platform:
    monkeypatch.setenv("MLCONSOLE_EXPERIMENTS_DIR", str(tmp_path / "experiments"))
    return open_platform(Configuration())


@pytest.fixture
def endpoint(platform: Platform) -> Iterator[str]:
    connection = SimpleNamespace(
        default_bucket=platform.bucket, role_arn=platform.role_arn, account_id=platform.account
    )
    deploy = Deployer(SimpleNamespace(client=platform.client, connection=connection))  # type: ignore[arg-type]
    models = [deploy.model(THRESHOLD, THRESHOLD=threshold) for threshold in ("0.75", "0.5")]
    yield deploy.endpoint(*models, weights=(9.0, 1.0))
    deploy.clean()


class Said:
    """Runs a command; what it printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *arguments: str, status: int = 0) -> str:
        code = main(["ab", *arguments])
        out, self.err = self.capsys.readouterr()
        assert code == status, (code, out, self.err)
        return out

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json"))


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return Said(capsys)


def test_an_ab_test_from_its_creation_to_its_removal(
    platform: Platform, endpoint: str, tmp_path: Path, said: Said
) -> None:
    draw = random.Random(1)
    rows = tmp_path / "rows.csv"
    numbers = [round(draw.random(), 4) for _ in range(300)]
    rows.write_text("y,x\n" + "".join(f"{int((x > 0.5) != (draw.random() < 0.1))},{x}\n" for x in numbers))
    assert said("ls") == ""
    assert "There is no A/B test" in said.err
    name = unique("ab")
    given = (
        "--name",
        name,
        "--metric",
        "accuracy",
        "--planned",
        "2000",
        "--guardrail",
        "5xx",
        "--weight",
        "A=1",
        "--weight",
        "B=1",
    )
    said("create", endpoint, *given, status=2)
    assert "say --yes" in said.err
    made = said.json("create", endpoint, *given, "--yes")
    assert (made["control"], made["before"]) == ("A", {"A": 9.0, "B": 1.0})
    said("create", endpoint, "--yes", status=1)
    assert f"A/B test {name} is running on endpoint" in said.err
    said("promote", name, "--yes", status=1)
    assert "has no winner: there is no verdict yet" in said.err
    said("promote", name, "B", "--yes", status=1)
    assert "does not say that B is the best" in said.err and "--force" in said.err

    feed = tmp_path / "rewards.csv"
    feed.write_text("inferenceId,variant,reward\nr1,A,1\nr2,B,0\nr2,B,0\nr3,,1\n")
    assert said.json("feed", name, str(feed)) == {
        "rows": 4, "counted": 2, "oddities": {"unknown": 1, "duplicate": 1, "repeated": 1},
    }  # fmt: skip
    said("feed", name, status=2)
    assert "B 75%" in said("weigh", name, "B=3", "--yes")
    found = said.json("replay", name, str(rows), "--label", "y", "--requests", "4000")
    assert (found["verdict"], found["winner"]) == ("better", "B")
    text = said("show", name)
    for part in (
        "▲ B is better",
        "✓ split right",
        "Against A: 95% confidence",
        "concluded after",
        "Guardrails",
        "second rewards of a request",
    ):
        assert part in text
    assert max(map(len, text.splitlines())) <= 110
    assert json.loads(said("watch", name, "--json"))["verdict"] == "better"
    assert "B is better" in said("watch", name)
    assert name in said("ls")
    assert said.json("ls")[0]["experiment"]["name"] == name
    assert "concluded after" in said("forecast", name)
    said("rm", name, "--yes", status=1)
    assert "is running" in said.err
    assert "B has all the traffic" in said("promote", name, "--yes")
    state = platform.client("sagemaker").describe_endpoint(EndpointName=endpoint)
    assert {item["VariantName"]: item["CurrentWeight"] for item in state["ProductionVariants"]} == {
        "A": 0,
        "B": 1,
    }
    said("stop", name, "--yes", status=1)
    assert "has ended: promoted" in said.err
    said("rm", name, "--yes")
    said("show", name, status=1)
    assert "There is no A/B test" in said.err


def test_samples_are_forecast_before_a_test(said: Said) -> None:
    found = said.json("forecast", "--rate", "0.9", "--effect", "0.02", "--per-second", "10")
    assert found["once"] == pytest.approx(6_428, rel=0.01)
    assert found["always"] == 2 * found["once"]
    assert found["seconds"]["once"] == pytest.approx(found["once"] / 10)
    assert "looked at always" in said("forecast", "--rate", "0.9", "--effect", "0.02")
    said("forecast", status=2)
    said("forecast", "--rate", "0.9", "--effect", "0.2", status=2)
    said("forecast", "nothing", status=1)


def test_what_cannot_be_started_says_so(platform: Platform, endpoint: str, said: Said) -> None:
    for arguments, sentence in (
        (("--weight", "A"), "is no weight"),
        (("--variant", "C", "--variant", "A"), "has no variant C"),
        (("--missing", "zero"), "cannot count as 0 at once"),
    ):
        said("create", endpoint, *arguments, "--yes", status=1)
        assert sentence in said.err
    said("create", "nowhere", "--yes", status=1)
    assert "There is no endpoint nowhere" in said.err
    said("replay", "nothing", "x.csv", status=1)
    said("replay", "nothing", status=2)
