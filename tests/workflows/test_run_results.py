"""What two real runs leave behind: their lineage, their comparison, their reports, and what becomes of them when files change."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.cli.failures import guarded
from console.live import LiveServices
from tests.workflows.conftest import everything
from tests.workflows.markup import Page, drawings
from workflows import comparison, events, lineage, runs
from workflows.configuration import load
from workflows.ledger import Ledger
from workflows.pollers.runs import RunsPoller
from workflows.problem import Problem
from workflows.report import content, files
from workflows.report.page import as_cells, is_numeric, render
from workflows.report.settings import command
from workflows.runs import Run
from workflows.transcript import Transcript

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def made(engine_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of two runs of the moons study: one that was hosted, one of a smaller net."""
    home = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLCONSOLE_HOME", str(home))
        patch.setenv("MLCONSOLE_ENGINE_DIR", str(engine_folder))
        began = [
            runs.start("moons", {"epochs": 30, "patience": 0, "hidden": hidden}, interface="low")
            for hidden in (128, 2)
        ]
        for run in began:
            last = everything(run)[-1]
            assert isinstance(last, events.RunFinished)
            assert last.status in ("completed", "refused"), last.message
        yield home


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that home, which a test may spoil."""
    shutil.copytree(made, tmp_path / "home")
    monkeypatch.setenv("MLCONSOLE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def hosted(home: Path) -> Run:
    """The run with 128 hidden units."""
    return next(run for run in runs.list_runs() if run.parameters["hidden"] == 128)


@pytest.fixture
def small(home: Path) -> Run:
    """The run with 2 hidden units."""
    return next(run for run in runs.list_runs() if run.parameters["hidden"] == 2)


def cli(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = guarded(arguments)
    out, err = capsys.readouterr()
    return status, out, err


def altered(run: Run, **values: Any) -> Run:
    """The run with another manifest, on disk too."""
    for name, value in values.items():
        setattr(run, name, value)
    runs.save(run)
    return runs.read(run.folder)


# Lineage


def test_an_untouched_run_is_its_own_and_every_metric_has_its_step(hosted: Run) -> None:
    found = lineage.check(hosted)
    assert not found.stale
    assert found.sentence == ""
    assert {item.what for item in found.items} >= {"data", "code", "model", "predictions"}
    assert all(item.state == "as recorded" for item in found.items if item.what != "code")
    assert found.origins["accuracy"] == "predict"
    assert found.origins["baseline_accuracy"] == "baseline"
    assert found.origins["epochs"] == "train"
    assert found.origins["lift"] == ""
    assert lineage.as_shown(hosted) is hosted
    ledger = Ledger(hosted.folder).steps()
    assert ledger["predict"]["links"] == {
        ledger["train"]["outputs"]["model_sha256"]: "train",
        ledger["prepare"]["outputs"]["test_sha256"]: "prepare",
    }
    assert set(ledger["predict"]["relies"]) == {"prepare", "train", "gate"}
    assert hosted.versions["torch"]
    assert {"study", "algorithm", "containers"} == set(hosted.sources)


def test_predictions_of_an_older_run_are_withheld_and_named(
    hosted: Run, small: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The classic: a stale file of answers is scored once more."""
    older, answers = small.work / "offline-test.npy", hosted.work / "offline-test.npy"
    shutil.copy(older, answers)
    found = lineage.check(hosted)
    assert set(found.stale) == {"gate", "evaluate", "predict"}
    reason = found.stale["evaluate"].reason
    assert "offline-test.npy (step gate) is not the file that the run recorded" in reason
    assert f"it is the offline-test.npy of run {small.id}" in reason
    status, out, _ = cli(capsys, "runs", "show", hosted.id)
    assert status == 0
    assert "Results are withheld" in out
    assert "baseline_accuracy" in out
    assert f"accuracy                      {hosted.metrics['accuracy']:.4g}" not in out
    status, out, _ = cli(capsys, "runs", "show", hosted.id, "--json")
    shown = json.loads(out)
    assert "accuracy" not in shown["metrics"]
    assert "baseline_accuracy" in shown["metrics"]
    assert {item["step"] for item in shown["lineage"]["stale"]} == set(found.stale)
    status, out, _ = cli(capsys, "runs", "ls")
    assert next(line for line in out.splitlines() if hosted.id in line).endswith("withheld")
    status, out, _ = cli(capsys, "runs", "attach", hosted.id, "--json")
    told = [json.loads(line) for line in out.splitlines()]
    assert not [one for one in told if one["event"] in ("table", "gate") and one["step"] == "evaluate"]
    assert "accuracy" not in told[-1]["metrics"]
    assert told[-1]["message"].startswith("Results are withheld")
    page = files.write(hosted, tmp_path / "stale.html")
    assert page.withheld
    text = page.file.read_text()
    assert "The hosted net is right on" not in text
    assert "Scores on the 150 test points" not in text
    assert "Baselines that cost nothing" in text
    assert small.id in text


def test_an_edited_cell_of_the_features_withholds_all_that_rests_on_it(hosted: Run) -> None:
    path = hosted.work / "train.csv"
    lines = path.read_text().splitlines(keepends=True)
    lines[3] = lines[3].replace(lines[3].split(",")[1], "0.5")
    path.write_text("".join(lines))
    found = lineage.check(hosted)
    assert set(found.stale) == {
        "prepare",
        "audit",
        "baseline",
        "train",
        "gate",
        "evaluate",
        "deploy",
        "predict",
    }
    assert [item.step for item in found.reasons] == ["prepare"]
    assert lineage.as_shown(hosted, quick=False).metrics == {}


def test_another_models_archive_withholds_its_scores_and_not_the_baselines(hosted: Run, small: Run) -> None:
    shutil.copy(small.work / "model.tar.gz", hosted.work / "model.tar.gz")
    found = lineage.check(hosted)
    assert "baseline" not in found.stale
    assert set(found.stale) == {"train", "gate", "evaluate", "deploy", "predict"}
    kept = lineage.as_shown(hosted, quick=False)
    assert set(kept.metrics) == {"baseline_accuracy", "logistic_regression_accuracy", "svm_accuracy"}
    assert kept.message.startswith("Results are withheld")


def test_the_console_gets_no_stale_result_neither_of_a_run_nor_in_its_list(hosted: Run, small: Run) -> None:
    shutil.copy(small.work / "model.tar.gz", hosted.work / "model.tar.gz")
    services = LiveServices(load(), read_only=True)
    try:
        told: list[events.Event] = []
        services.follow(hosted.id, told.append, lambda: False)
    finally:
        services.close()
    assert not [one for one in told if isinstance(one, events.Table) and one.step == "evaluate"]
    assert [one for one in told if isinstance(one, events.Table) and one.step == "baseline"]
    assert isinstance(told[-1], events.RunFinished)
    assert "accuracy" not in told[-1].metrics
    listed = {run.id: run for run in RunsPoller().poll(None, lambda _: None, 0.0)}
    assert "accuracy" not in listed[hosted.id].metrics
    assert "accuracy" in listed[small.id].metrics


def test_a_file_that_is_gone_a_foreign_ledger_and_a_changed_manifest_are_told(
    hosted: Run, small: Run
) -> None:
    (hosted.work / "predictions.csv").unlink()
    assert lineage.check(hosted).stale["predict"].reason.startswith("predictions.csv (step predict) is gone")
    forged = altered(small, metrics={**small.metrics, "accuracy": 0.99})
    shown = lineage.as_shown(forged, quick=False)
    assert "accuracy" not in shown.metrics
    assert "accuracy is not what the run measured" in shown.message
    shutil.copy(small.folder / "ledger.json", hosted.folder / "ledger.json")
    found = lineage.check(hosted)
    assert f"is that of run {small.id}" in found.sentence
    assert lineage.as_shown(hosted, quick=False).metrics == {}
    (hosted.folder / "ledger.json").write_text("{")
    assert "cannot be read" in lineage.check(hosted).sentence


def test_a_step_that_was_done_again_withholds_what_rested_on_its_earlier_result(hosted: Run) -> None:
    path = hosted.folder / "ledger.json"
    data = json.loads(path.read_text())
    data["steps"]["train"]["outputs"]["model_sha256"] = "0" * 64
    data["steps"]["train"]["files"] = {}
    path.write_text(json.dumps(data))
    found = lineage.check(hosted)
    assert "train" not in found.stale
    assert "Step train was done again since" in found.stale["predict"].reason


def test_a_file_is_hashed_again_only_when_it_changed(
    hosted: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hashed: list[Path] = []
    real = lineage.sha256
    monkeypatch.setattr(lineage, "sha256", lambda path: hashed.append(path) or real(path))
    lineage.check(hosted)
    first = len(hashed)
    assert first >= 5
    lineage.check(hosted)
    assert len(hashed) == first
    path = hosted.work / "predictions.csv"
    path.write_text(path.read_text())
    assert not lineage.check(hosted).stale
    assert hashed[first:] == [path]


# Comparison


def test_one_parameter_differs_and_is_named(
    hosted: Run, small: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    found = comparison.compare(hosted, small)
    assert [(item.kind, item.name, item.a, item.b) for item in found.causes] == [
        ("parameter", "hidden", 128, 2)
    ]
    assert {"model"} <= {item.kind for item in found.differences if not item.cause}
    assert "hidden (128 → 2)" in found.sentence
    accuracy = found.scores[0]
    assert (accuracy.name, accuracy.important) == ("accuracy", True)
    assert accuracy.difference == pytest.approx(small.metrics["accuracy"] - hosted.metrics["accuracy"])
    assert accuracy.error is not None
    assert accuracy.basis == "sampling error of 150 answers"
    expected = "worse" if abs(accuracy.difference or 0) > 1.96 * accuracy.error else "within"
    assert accuracy.verdict == expected
    assert {gate.name for gate in found.gates if "fail" in (gate.a, gate.b)} <= {
        "against the baseline", "loss moves", "both classes", "beats chance",
    }  # fmt: skip
    assert [step.step for step in found.steps][:3] == ["prepare", "audit", "baseline"]
    assert found.a.dollars is not None
    assert found.a.dollars > 0
    status, out, _ = cli(capsys, "runs", "diff", hosted.id, small.id)
    assert status == 0
    assert out.startswith(found.sentence)
    status, out, _ = cli(capsys, "runs", "diff", hosted.id, small.id, "--json")
    assert json.loads(out)["sentence"] == found.sentence


def test_equal_inputs_are_randomness_and_their_spread_is_used(hosted: Run) -> None:
    copies = [_copy(hosted, f"moons-20260101-00000{number}-abcd") for number in range(3)]
    for number, copy in enumerate(copies):
        metrics = {**hosted.metrics, "accuracy": hosted.metrics["accuracy"] - 0.001 * number}
        _measured(copy, metrics)
    found = comparison.compare(runs.read(copies[0].folder), runs.read(copies[2].folder))
    assert found.causes == ()
    assert "The inputs are the same: the difference is randomness" in found.sentence
    assert found.scores[0].verdict == "within"
    exact = comparison.compare(hosted, runs.read(copies[0].folder))
    assert exact.sentence == "Same inputs, same scores."
    assert {score.verdict for score in exact.scores} == {"same"}


def test_several_things_are_all_named_and_machines_are_no_cause(hosted: Run) -> None:
    copy = _copy(hosted, "moons-20260101-000001-abcd")
    copy = altered(
        copy,
        interface="high",
        parameters={**copy.parameters, "seed": 7, "instance-type": "ml.c5.large"},
        versions={**copy.versions, "torch": "2.12.0"},
        sources={**copy.sources, "algorithm": "1" * 64},
    )
    _measured(copy, {**hosted.metrics, "accuracy": 0.5})
    found = comparison.compare(hosted, runs.read(copy.folder))
    assert "Four things differ" in found.sentence
    for text in ("the interface (low → high)", "seed (1 → 7)", "torch (", "the code (algorithm "):
        assert text in found.sentence
    assert found.scores[0].verdict == "worse"
    machine = next(item for item in found.differences if item.name == "instance-type")
    assert (machine.kind, machine.cause) == ("machine", False)


def test_what_is_withheld_is_compared_with_nothing(hosted: Run, small: Run) -> None:
    (hosted.work / "test.csv").write_text("1,2,3\n")
    found = comparison.compare(hosted, small)
    assert found.a.withheld
    assert "So scores cannot be compared" in found.sentence
    assert all(score.a is None for score in found.scores)


def test_different_studies_and_the_same_run_are_refused(
    hosted: Run, small: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    altered(small, study="fraud")
    with pytest.raises(Problem, match="measure different things"):
        comparison.compare(hosted, runs.read(small.folder))
    status, out, _ = cli(capsys, "runs", "diff", hosted.id, small.id, "--json")
    assert (status, json.loads(out)["code"]) == (1, "different-studies")
    assert cli(capsys, "runs", "diff", hosted.id, hosted.id)[0] == 1


# Reports


def test_a_report_is_whole_well_formed_and_loads_nothing(hosted: Run, tmp_path: Path) -> None:
    written = files.write(hosted, tmp_path)
    text = written.file.read_text(encoding="utf-8")
    page = Page(text)
    assert page.wrong == []
    assert "url(" not in text
    assert "@import" not in text
    assert "default-src 'none'" in text
    assert all(head.get("scope") in ("col", "row") for head in page.heads)
    assert page.headings[0] == 1
    assert all(b - a <= 1 for a, b in zip(page.headings, page.headings[1:], strict=False))
    assert len(drawings(text)) == page.counts["svg"]
    assert len([one for one in drawings(text) if one.get("role") == "img"]) == written.figures
    assert len(gzip.compress(text.encode())) < 100_000
    assert written.withheld == ""


def test_every_event_is_in_the_report(hosted: Run) -> None:
    text, _ = render(hosted)
    page = Page(text)
    told = list(runs.follow(hosted, timeout=0))
    kinds, called = set(), 0
    for place, event in enumerate(told):
        kinds.add(event.kind)
        match event:
            case events.Figure() if any(
                isinstance(later, events.Figure) and later.replaces(event) for later in told[place + 1 :]
            ):
                assert event.key  # only its last state is in the report
            case events.Table():
                assert event.title in page.text
                for row in event.rows:
                    assert str(row[0]) in page.text
                for column in event.columns:
                    assert column in page.text
            case events.Figure():
                assert event.title in page.text
            case events.Gate():
                assert event.name in page.text
                assert event.reason in page.text
            case events.StepFinished():
                assert event.summary in page.text
            case events.Artifact():
                assert event.name in page.text
                assert event.location in page.text
                assert event.sha256 in page.text
            case events.ApiCall():
                called += 1  # all are counted, by service and operation; a slow machine makes more than are listed one by one
                listed = f"{event.service}.{event.operation}"
                assert (listed if called <= content.CALLS else event.operation) in page.text
            case events.RunFinished():
                assert event.message in page.text
                assert all(name in page.text for name in event.metrics)
            case events.Metric():
                assert event.name in page.text
    assert kinds >= {
        "table",
        "figure",
        "gate",
        "step-finished",
        "artifact",
        "api-call",
        "run-finished",
        "metric",
    }
    last = [event for event in told if isinstance(event, events.Log)][-1]
    assert " ".join(last.message.split()) in page.text
    for name, value in hosted.parameters.items():
        assert name in page.text
        assert str(value) in page.text or isinstance(value, bool)
    assert command(hosted) in page.text
    assert command(hosted) == (
        "mlconsole run moons --interface low --target embedded --set epochs=30 --set patience=0"
    )
    assert "On the embedded SageMaker: nothing." in page.text


def test_runs_that_did_not_complete_say_so(hosted: Run, tmp_path: Path) -> None:
    lines = hosted.events_file.read_text().splitlines(keepends=True)
    within = next(place for place, line in enumerate(lines) if '"metric"' in line) + 3
    hosted.events_file.write_text("".join(lines[:within]))
    for status, words in (
        ("running", "The run was at work when this was written"),
        ("waiting", "It waits for an answer: Deploy it?"),
        ("failed", "before it failed"),
        ("stopped", "stopped on request"),
        ("refused", "no endpoint was made"),
        ("interrupted", "ended without finishing"),
    ):
        hosted.status, hosted.message, hosted.metrics = status, f"Because of {status}.", {}
        hosted.question = {"question": "deploy-anyway", "text": "Deploy it?"} if status == "waiting" else None
        page = Page(render(hosted)[0])
        assert page.wrong == []
        assert words in page.text, status
        assert f"Because of {status}." in page.text
    empty = _copy(hosted, "moons-20260101-000009-abcd")
    empty.events_file.write_text("")
    (empty.folder / "ledger.json").unlink()
    page = Page(render(altered(empty, status="failed", metrics={}, message="It could not start."))[0])
    assert page.wrong == []
    assert "The run had told no result." in page.text
    assert "It could not start." in page.text


def test_whatever_a_run_tells_is_escaped(hosted: Run) -> None:
    evil = "</pre><script>alert(1)</script>\x1b[2J\x00\ud800 `<b>`"
    at = {"time": 1.0, "step": "train"}
    hostile = [
        events.Log(message=evil, level="warning", source=evil, **at),
        events.Table(title=evil, columns=[evil, "n"], rows=[[evil, 1], [f"«{evil}»", None]], **at),
        events.Figure(title=evil, form="bar", series=[{"name": evil, "x": [evil], "y": [1]}], **at),
        events.Gate(name=evil, verdict="fail", reason=evil, **at),
        events.ApiCall(service=evil, operation=evil, parameters={evil: evil}, seconds=0.1, error=evil, **at),
        events.Artifact(what=evil, name=evil, location=evil, **at),
    ]
    told = _copy(hosted, "moons-20260101-000010-abcd")
    told.log.unlink()  # what it tells now was made up: no call of it is AWS's
    with told.events_file.open("a") as file:
        file.writelines(events.to_json(event) + "\n" for event in hostile)
    text, _ = render(told)
    page = Page(text)
    assert page.wrong == []
    assert page.counts["script"] == 1
    assert "alert(1)" in page.text
    assert not {"\x1b", "\x00"} & set(text)
    assert len(drawings(text)) == page.counts["svg"]
    text.encode()


def test_a_report_is_written_over_and_nothing_else_is(
    hosted: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, _ = cli(capsys, "report", hosted.id, "--json")
    told = json.loads(out)
    assert status == 0
    assert Path(told["file"]) == tmp_path / f"{hosted.id}.html"
    assert told["bytes"] == Path(told["file"]).stat().st_size
    assert cli(capsys, "report", hosted.id)[0] == 0
    mine = tmp_path / "mine.html"
    mine.write_text("mine")
    status, out, _ = cli(capsys, "report", hosted.id, "-o", str(mine), "--json")
    assert (status, json.loads(out)["code"]) == (1, "file-exists")
    assert mine.read_text() == "mine"
    assert cli(capsys, "report", hosted.id, "-o", str(mine), "--force")[0] == 0
    assert files.is_report(mine)
    status, out, _ = cli(capsys, "report", hosted.id, "-o", "nowhere/x.html", "--json")
    assert (status, json.loads(out)["code"]) == (1, "no-folder")
    status, out, _ = cli(capsys, "report", hosted.id, "-o", "-")
    assert out.startswith("<!DOCTYPE html>")
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {
        f"{hosted.id}.html",
        "mine.html",
    }
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert "scp " in cli(capsys, "report", hosted.id, "--open")[2]
    assert cli(capsys, "--read-only", "report", hosted.id)[0] == 0


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_browser_without_network_shows_it_and_sorts_its_tables(hosted: Run, tmp_path: Path) -> None:
    written = files.write(hosted, tmp_path)
    text = written.file.read_text()
    probe = (
        "var head = document.querySelector('#calls thead th:nth-child(3) button'); head.click(); head.click();"
        "document.title = [...document.querySelectorAll('#calls tbody td:nth-child(3)')].map(c => c.textContent).join(' ')"
        " + '|' + [...document.querySelectorAll('svg.plot')].filter(s => s.getBoundingClientRect().height > 40).length"
        " + '|' + (document.documentElement.scrollWidth <= window.innerWidth);"
    )
    (tmp_path / "probe.html").write_text(text.replace("</body>", f"<script>{probe}</script></body>"))
    done = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1100,900",
            "--dump-dom", (tmp_path / "probe.html").as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    title = done.stdout.partition("<title>")[2].partition("</title>")[0]
    counts, drawn, fits = title.split("|")
    values = [int(word.replace("\u202f", "")) for word in counts.split()]
    assert values == sorted(values, reverse=True)
    assert len(values) > 5
    assert int(drawn) >= 3
    assert fits == "true"


# Transcripts


def test_a_resumed_run_counts_with_its_last_attempt() -> None:
    def at(step: str, number: float) -> dict[str, Any]:
        return {"time": number, "step": step}

    start = events.RunStarted(
        time=0, run="r", study="moons", interface="low", target="embedded",
        steps=[{"id": "a", "title": "A"}, {"id": "b", "title": "B"}], parameters={},
    )  # fmt: skip
    told = Transcript.of(
        [
            start,
            events.StepStarted(title="A", **at("a", 1)),
            events.Gate(name="g", verdict="pass", reason="first", **at("a", 2)),
            events.StepFinished(status="done", seconds=1, summary="made", **at("a", 3)),
            events.StepStarted(title="B", **at("b", 4)),
            events.Metric(name="loss", value=9.0, x=1, **at("b", 5)),
            start,
            events.StepStarted(title="A", **at("a", 6)),
            events.StepFinished(status="reused", seconds=0, summary="made before", **at("a", 7)),
            events.StepStarted(title="B", **at("b", 8)),
            events.Metric(name="loss", value=1.0, x=1, **at("b", 9)),
            events.StepFinished(status="done", seconds=2, **at("b", 10)),
        ]
    )
    assert told.attempts == 2
    assert [gate.reason for gate in told.gates] == ["first"]
    assert told.steps["a"].status == "reused"
    assert told.steps["b"].series == {"loss": [(1, 1.0)]}


def _copy(run: Run, name: str) -> Run:
    """Another run with the same content."""
    folder = run.folder.parent / name
    shutil.copytree(run.folder, folder)
    path = folder / "ledger.json"
    path.write_text(path.read_text().replace(run.id, name))
    return altered(runs.read(folder), id=name, folder=folder)


def _measured(run: Run, metrics: dict[str, float]) -> None:
    """Lets a run have measured something else."""
    Ledger(run.folder).measured(metrics)
    altered(run, metrics=metrics)


def test_a_figure_that_is_told_anew_is_one_figure_where_the_first_one_stood() -> None:
    def boundary(at: float, step: str = "train") -> events.Figure:
        return events.Figure(time=at, step=step, title=f"After {at}", form="field", series=[], key="boundary")

    told = Transcript.of(
        [
            boundary(1.0),
            events.Table(time=2.0, step="train", title="Seeds", columns=[], rows=[]),
            boundary(3.0),
            boundary(4.0, "evaluate"),
        ]
    )
    assert [one.title for one in told.steps["train"].results] == ["After 3.0", "Seeds"]  # type: ignore[union-attr]
    assert [one.title for one in told.steps["evaluate"].results] == ["After 4.0"]  # type: ignore[union-attr]


def test_a_blank_among_numbers_stands_where_they_stand() -> None:
    rows = [["c_1", 0.321, "yes"], ["c_2", "", "yes"], ["c_3", None, "no"]]
    assert [is_numeric(rows, column) for column in range(3)] == [False, True, False]
    assert [[cell.numeric for cell in row] for row in as_cells(rows)] == [[False, True, False]] * 3
