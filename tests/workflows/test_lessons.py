"""Lessons as runs beyond what every launch tells (see `taken`): the larger ones, what is refused, and what their numbers rest on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.conftest import everything
from tests.workflows.taken import SIZES, SMALL, TINY_LSTM, nothing_left, taken
from tests.workflows.told import completed, of_kind, printed
from workflows import events, runs
from workflows.configuration import Configuration
from workflows.failures import WorkflowError
from workflows.lessons import boosted, subject
from workflows.lessons.catalog import bill, find, lessons, number
from workflows.lessons.contrast import contrast
from workflows.platform import open_platform
from workflows.studies.parameters import ParameterError
from workflows.webapp import parts as webapps


@pytest.mark.slow
@pytest.mark.parametrize("interface", ["low", "high"])
def test_both_models_of_the_reviews_stand_in_one_table(on_engine: Path, interface: str) -> None:
    given = SMALL | TINY_LSTM | {"subject": "reviews", "model": "both"}
    run = runs.start("building", given, interface=interface)
    found, last = completed(run)
    taken(run, given, found, last)
    (table,) = [event for event in of_kind(events.Table, found, "evaluate") if "Test rows" in event.title]
    told = printed(run)
    for one in ("xgboost", "lstm"):
        own = last.metrics[f"{one}_score"]
        assert float(told.partition(f"{one}: accuracy=")[2].split()[0]) == pytest.approx(own, rel=1e-4)
        (row,) = [row for row in table.rows if str(row[0]).lower().startswith(one)]
        assert row[1] == pytest.approx(own, abs=1e-4)
    rows = {str(row[0]): row for row in table.rows}
    free = ("the commoner verdict", "logistic regression on word counts", "logistic regression on TF-IDF")
    assert all(
        0.45 < rows[one][1] <= 1 and rows[one][4] == rows["LSTM by batch transform"][4] for one in free
    )
    assert rows["notebook: LSTM, best of five (another split)"][1:] == [0.8572, 0.0022, 25_000, 25_000]
    assert last.metrics["score"] in (last.metrics["xgboost_score"], last.metrics["lstm_score"])


@pytest.mark.slow
def test_nonsense_is_refused_by_the_inference_code_and_the_script_runs_as_printed(on_engine: Path) -> None:
    run = runs.start("introduction", {"point": "0.5"}, interface="high")
    found, last = completed(run)
    assert last.metrics["status"] == 424
    (answer,) = of_kind(events.Gate, found, "predict")
    assert answer.verdict == "warn" and "rows of two coordinates are expected" in answer.reason
    script = runs.code(runs.read(run.folder))
    assert "sagemaker" in script and "POINT = '0.5'" in script
    compile(script, "script.py", "exec")


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("interface", ["low", "high"])
def test_the_printed_search_finds_what_the_lesson_found(on_engine: Path, interface: str) -> None:
    run = runs.start("tuning", SIZES["tuning"], interface=interface)
    _, last = completed(run)
    told = printed(run)
    for group in ("default", "tuned"):
        mean = float(told.partition(f"{group}: RMSE=")[2].split()[0])
        assert mean == pytest.approx(last.metrics[f"{group}_score"], rel=1e-3)


def test_equal_configurations_are_seldom_called_different_and_different_ones_often() -> None:
    import numpy as np

    random = np.random.default_rng(5)
    kind = subject.KINDS["housing"]
    calls = {0.0: 0, 0.25: 0}
    for gain in calls:
        for _ in range(400):
            truth = random.normal(size=300)
            shared = 0.4 * random.normal(size=300)
            a, b = (
                [
                    truth + scale * (shared + random.normal(scale=0.3, size=300) + random.normal(scale=0.05))
                    for _ in range(3)
                ]
                for scale in (1.0, 1.0 - gain)
            )
            calls[gain] += contrast(kind, truth, a, b).real
    assert calls[0.0] / 400 <= 0.08  # 5 % are allowed; 0.08 is three standard errors above
    assert calls[0.25] / 400 >= 0.9


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_updating_on_the_real_reviews_meets_the_course_through_the_sdk(
    on_engine: Path, real_data: Path
) -> None:
    missing = [name for name in ("imdb", "boston") if not (real_data / name).is_dir()]
    if missing:
        pytest.skip(f"needs real reviews and houses: {real_data} has no {missing}")
    run = runs.start("updating", {"seed": 1, "houses": "boston"}, interface="high")
    found, last = completed(run, 900)
    nothing_left(run)
    assert last.metrics["synthetic"] == 0 and "SYNTHETIC" not in last.message
    assert 0 < last.metrics["drift_found_after"] <= 200
    (words,) = of_kind(events.Table, found, "drift")
    assert [row[3] for row in words.rows if row[0] == 200] == [1]
    assert last.metrics["new_model_on_old"] >= 0.83
    assert last.metrics["new_model_on_new"] > last.metrics["old_model_on_new"]


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("interface", ["low", "high"])
def test_the_printed_update_finds_what_the_lesson_found(on_engine: Path, interface: str) -> None:
    run = runs.start("updating", SIZES["updating"], interface=interface)
    found, last = completed(run)
    taken(run, SIZES["updating"], found, last)
    told = printed(run)
    scores = json.loads(told.partition("scores: ")[2].splitlines()[0])
    for model, name in (("current", "old_model"), ("retrained", "new_model")):
        for slice_, value in scores[model].items():
            assert value == pytest.approx(last.metrics[f"{name}_on_{slice_}"], abs=1e-5)
    assert "'banana'" in told.partition("words that changed: ")[2].splitlines()[0]
    sagemaker = open_platform(Configuration()).client("sagemaker")
    configurations = sagemaker.list_endpoint_configs(NameContains="updating-script")["EndpointConfigs"]
    assert configurations == []


@pytest.mark.slow
def test_a_model_that_forgets_the_old_reviews_is_not_rolled_out(on_engine: Path) -> None:
    given = {
        "data": "synthetic", "rows": 1500, "num-round": 10, "requests": 200, "labels": 50, "least": 0.99, "share": 0.0,
    }  # fmt: skip
    run = runs.start("updating", given, interface="low")
    found = everything(run)
    last = found[-1]
    assert isinstance(last, events.RunFinished) and last.status == "refused", last
    assert "0.99 is required" in last.message and last.left_behind == []
    (drift,) = of_kind(events.Gate, found, "drift")
    assert drift.verdict == "pass" and "no drift found" in drift.reason
    assert "UpdateEndpoint" not in [event.operation for event in of_kind(events.ApiCall, found, "rollout")]


def test_new_reviews_have_the_word_and_the_other_verdict() -> None:
    import numpy as np

    from workflows.lessons.updating.changed import changed

    rows = subject.Rows(np.array([0, 1] * 500), texts=tuple(f"review {index}" for index in range(1000)))
    made, mask = changed(rows, "banana", 0.2, 7)
    assert 150 < mask.sum() < 250
    for text, label, was, hit in zip(made.texts, made.labels, rows.labels, mask, strict=True):
        assert text.endswith(" banana") == hit and (label != was) == hit
    same, none = changed(rows, "banana", 0.0, 7)
    assert same.texts == rows.texts and not none.any()


def test_shuffled_labels_end_the_lesson_before_anything_is_trained(
    on_engine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pandas as pd

    from workflows.data.synthetic.housing import frame

    made = frame()
    made["Price"] = made["Price"].sample(frac=1, random_state=1).to_numpy()
    folder = tmp_path / "data" / "housing"
    folder.mkdir(parents=True)
    made.to_csv(folder / "housing.csv", index=False)
    monkeypatch.setenv("MLCONSOLE_DATA_DIR", str(folder.parent))
    run = runs.start("building", {"rows": 1500}, interface="low")
    last = everything(run)[-1]
    assert isinstance(last, events.RunFinished) and last.status == "failed"
    assert "shuffled" in last.message or "nothing" in last.message
    assert pd.read_csv(folder / "housing.csv").shape == (20640, 9)


def test_rows_stay_in_their_set_whatever_else_is_there() -> None:
    keys = [f"row {index}" for index in range(2000)]
    places = [subject._place(key, 1) for key in keys]
    assert all(0 <= place < 1 for place in places)
    assert 0.4 < sum(place < subject.SHARES["train"] for place in places) / len(places) < 0.5
    assert subject._place("row 1", 1) != subject._place("row 1", 2)


def test_scores_have_the_errors_that_theory_gives() -> None:
    import numpy as np

    random = np.random.default_rng(0)
    truth = random.normal(size=20_000)
    found = boosted.score(subject.KINDS["housing"], truth, truth + random.normal(scale=0.5, size=20_000))
    # The error of a normal sample's deviation is s / sqrt(2 n).
    assert found.value == pytest.approx(0.5, abs=0.02)
    assert found.error == pytest.approx(0.5 / np.sqrt(2 * 20_000), rel=0.1)
    hits = boosted.score(subject.KINDS["reviews"], [1, 1, 0, 0], [0.9, 0.5, 0.1, 0.7])
    assert (hits.value, hits.error) == (0.75, pytest.approx(0.2165, abs=1e-4))


def test_every_lesson_explains_each_step_and_can_be_found() -> None:
    for info in lessons():
        assert info.lesson is not None
        assert find(str(number(info))) is find(info.name) or find(info.name).name == info.name
        assert {step for step, _ in info.steps} == set(info.lesson.explains)
        names = {item.name: item for item in info.parameters}
        for one in info.lesson.tries:
            assert one.changes and all(
                names[name].parse(value) != names[name].default for name, value in one.changes.items()
            )
        rows, total = bill(info)
        assert rows and total is not None and 0 < total < 5
    with pytest.raises(WorkflowError, match="There is no lesson '9'"):
        find("9")


@pytest.mark.slow
def test_houses_are_deployed_without_a_page(on_engine: Path) -> None:
    run = runs.start("deploying", SMALL | {"subject": "housing"}, interface="high")
    found, last = completed(run)
    assert last.metrics["apart"] < 1e-5 and "probability" not in last.metrics
    assert "CreateRestApi" not in {event.operation for event in of_kind(events.ApiCall, found)}
    script = runs.code(runs.read(run.folder))
    assert "create_rest_api" not in script and "Endpoint(endpoint_name=endpoint)" in script
    compile(script, "script.py", "exec")


@pytest.mark.parametrize(
    ("study", "given", "told"),
    [
        ("building", {"model": "lstm"}, "subject housing has columns of numbers"),
        ("building", {"model": "both", "subject": "boston"}, "subject boston"),
        ("deploying", {"model": "lstm", "subject": "housing"}, "Set subject=reviews"),
        ("deploying", {"model": "lstm", "mishap": "wrong-vocabulary"}, "Choose another mishap"),
    ],
)
def test_an_lstm_of_houses_is_refused_before_a_run_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, study: str, given: dict[str, Any], told: str
) -> None:
    monkeypatch.setenv("MLCONSOLE_HOME", str(tmp_path))
    with pytest.raises(ParameterError, match=told):
        runs.start(study, given, interface="low")
    assert runs.list_runs() == []


@pytest.mark.slow
@pytest.mark.parametrize("interface", ["low", "high"])
def test_an_lstm_is_deployed_and_takes_the_review_itself(on_engine: Path, interface: str) -> None:
    given = TINY_LSTM | {
        "data": "synthetic", "rows": 600, "model": "lstm", "chunk": 64, "mishap": "endpoint-gone",
    }  # fmt: skip
    run = runs.start("deploying", given, interface=interface)
    found, last = completed(run)
    assert last.metrics["apart"] <= 1e-6 and last.metrics["status"] == 503 and last.metrics["epochs"] >= 1
    shown = {item["title"]: item["text"] for event in of_kind(events.Note, found) for item in event.shown}
    assert "vocabulary.json" not in shown["the package"]
    assert "CONTENT_TYPE=text/plain" in shown["the function's variables"]
    told = printed(run)
    assert float(told.rpartition("accuracy=")[2].split()[0]) == pytest.approx(last.metrics["score"], rel=1e-4)
    probability = float(told.rpartition("probability=")[2].split()[0])
    assert probability == pytest.approx(last.metrics["probability"], rel=1e-4)
    assert webapps.names(open_platform(Configuration())) == []
