"""``mlconsole data``: what a person sees, in text and in JSON, and the exit statuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.__main__ import main
from tests.console.command import run
from tests.workflows.publisher import Publisher


@pytest.fixture(autouse=True)
def _no_real_data(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLCONSOLE_DATA_DIR", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def told(capsys: pytest.CaptureFixture[str]) -> object:
    return json.loads(capsys.readouterr().out)


def test_the_list_marks_synthetic_data_and_makes_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLCONSOLE_FETCHED_DIR", str(tmp_path / "fetched"))
    assert main(["data", "ls"]) == 0
    out, err = capsys.readouterr()
    used = {line.split()[0]: line.split()[1] for line in out.splitlines()[1:]}
    assert used["census"] == "synthetic" and used["moons"] == "generated" and used["boston"] == "not"
    assert "made up" in err
    assert main(["data", "ls", "--json"]) == 0
    listed = told(capsys)
    assert isinstance(listed, list) and len(listed) == 8
    assert {one["name"]: one["synthetic"] for one in listed}["creditcard"] is True
    assert not (tmp_path / "fetched").exists()


def test_show_tells_licence_places_and_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "show", "energy"]) == 0
    out = capsys.readouterr().out
    assert "CC BY 4.0" in out and "SYNTHETIC" in out and "Global_active_power (label)" in out
    assert main(["data", "show", "energy", "--json"]) == 0
    shown = told(capsys)
    assert isinstance(shown, dict)
    assert shown["located"]["synthetic"] is True and len(shown["located"]["sha256"]) == 64
    assert main(["data", "show", "boston"]) == 0
    assert "scikit-learn withdrew it" in capsys.readouterr().out
    assert main(["data", "show", "cencus"]) == 1
    assert "Data sets: census" in capsys.readouterr().err


def test_check_import_and_removal(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = [f"{i % 2},{i % 2 + i / 99},{1 - i / 50}" for i in range(40)]
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("\n".join(lines) + "\n")
    bad.write_text("\n".join([*lines[:3], "1,far,0.5", *lines[4:]]) + "\n")
    assert main(["data", "check", str(bad), "--as", "moons"]) == 1
    out = capsys.readouterr().out
    assert (
        "row 4, column x" in out and "'far' cannot be: a number is needed." in out and "cannot be used" in out
    )
    assert main(["data", "check", str(bad)]) == 1
    assert "--as NAME" in capsys.readouterr().err
    assert main(["data", "import", "moons", str(bad), "--json"]) == 1
    refused = told(capsys)
    assert isinstance(refused, dict)
    assert refused["code"] == "bad-data" and refused["findings"][0]["where"].endswith("row 4, column x")
    assert main(["data", "import", "moons", str(bad)]) == 1
    assert "Nothing was changed" in capsys.readouterr().err
    assert main(["data", "import", "moons", str(good)]) == 0
    assert "Imported by you" in capsys.readouterr().out
    assert (
        main(["data", "import", "moons", str(good)]) == 2
    )  # it would replace the first, and nobody can be asked
    assert main(["data", "import", "moons", str(good), "--yes", "--json"]) == 0
    capsys.readouterr()
    assert main(["data", "check", "moons", "--json"]) == 0
    checked = told(capsys)
    assert isinstance(checked, dict) and checked["usable"] is True
    assert main(["data", "rm", "moons"]) == 2
    assert main(["data", "rm", "moons", "--imported", "--yes"]) == 0
    assert main(["data", "rm", "moons", "--imported", "--yes"]) == 1
    assert "no such copy" in capsys.readouterr().err


def test_fetch_shows_the_licence_asks_and_goes_on_after_a_break(tmp_path: Path) -> None:
    lines = [f"{i % 2},{i % 2 + i / 999},{1 - i / 500}" for i in range(450)]
    with Publisher(("\n".join(lines) + "\n").encode()) as server:
        server.cuts = [2_000]
        unasked = run("data", "fetch", "moons", "--url", server.url("train.csv"))
        assert unasked.returncode == 2
        assert "Licence: none needed" in unasked.stderr and "--yes" in unasked.stderr
        assert not server.requests
        done = run("data", "fetch", "moons", "--url", server.url("train.csv"), "--yes", "--json")
    assert done.returncode == 0, done.stderr
    fetched = json.loads(done.stdout)
    assert fetched["source"] == "cache" and fetched["synthetic"] is False
    assert Path(fetched["paths"]["table"]).read_text().splitlines() == lines
    assert server.requests[1]["Range"] == "bytes=2000-"
    assert "\r" not in done.stderr


def test_what_cannot_be_fetched_says_how_to_get_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "fetch", "boston", "--yes"]) == 1
    err = capsys.readouterr().err
    assert "withdrew" in err and "mlconsole data import boston FILE" in err
