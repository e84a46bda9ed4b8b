"""The ledger: what is unchanged is reused, what changed is refused, what was made is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflows.ledger import Ledger, StaleResult, digest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path


def done(folder: Path, inputs: dict[str, object]) -> Ledger:
    ledger = Ledger(folder)
    path = folder / "work" / "scores.csv"
    path.write_text("1\n")
    ledger.begin("evaluate", inputs)
    ledger.finish("evaluate", {"accuracy": 0.9}, [path], "good", 1.0)
    return ledger


def test_equal_inputs_and_untouched_files_are_reused_by_another_process(folder: Path) -> None:
    done(folder, {"data": "a", "model": "b"})
    again = Ledger(folder)
    assert again.reusable("evaluate", {"model": "b", "data": "a"}) == (True, "")
    assert again.outputs("evaluate") == {"accuracy": 0.9}
    again.verify("evaluate")


def test_changed_inputs_are_named(folder: Path) -> None:
    ledger = done(folder, {"data": "a", "model": "b"})
    assert ledger.reusable("evaluate", {"data": "a", "model": "c"}) == (False, "its inputs changed: model")


def test_a_changed_file_makes_the_result_stale(folder: Path) -> None:
    ledger = done(folder, {"data": "a"})
    (folder / "work" / "scores.csv").write_text("2\n")
    assert ledger.reusable("evaluate", {"data": "a"}) == (False, "scores.csv changed since")
    with pytest.raises(StaleResult, match=r"scores.csv \(step evaluate\)"):
        ledger.verify("evaluate")
    with pytest.raises(StaleResult, match="step train"):
        ledger.verify("train")


def test_notes_of_an_unfinished_step_survive_on_the_same_inputs_only(folder: Path) -> None:
    Ledger(folder).begin("train", {"code": 1})
    Ledger(folder)
    ledger = Ledger(folder)
    ledger.note("train", attempt=1)
    ledger.begin("train", {"code": 1})
    assert Ledger(folder).notes("train") == {"attempt": 1}
    ledger.begin("train", {"code": 2})
    assert Ledger(folder).notes("train") == {}


def test_resources_stay_until_they_are_deleted(folder: Path) -> None:
    ledger = Ledger(folder)
    ledger.made("endpoint", "e")
    ledger.made("endpoint", "e")
    ledger.made("model", "m")
    assert [item["name"] for item in Ledger(folder).resources()] == ["e", "m"]
    ledger.deleted("endpoint", "e")
    assert [item["name"] for item in Ledger(folder).resources("endpoint")] == []
    ledger.made("endpoint", "e")
    assert [item["name"] for item in Ledger(folder).resources("endpoint")] == ["e"]


def test_the_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
