"""Tuning through both interfaces against a real engine: real trials, stop, warm start, the best one served, default runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.workflows import trials
from workflows import interfaces
from workflows.configuration import Configuration
from workflows.failures import WorkflowError
from workflows.interfaces import images
from workflows.interfaces.base import Interface, TrainingRequest
from workflows.interfaces.waiting import EMBEDDED, Waiter
from workflows.observe import jobs, tuning
from workflows.observe.tuning_rows import TuningDetail
from workflows.platform import Platform, open_platform
from workflows.problem import Problem
from workflows.tuning import asked, defaults, operations
from workflows.tuning.comparison import comparison
from workflows.tuning.draft import draft, draft_of, searched
from workflows.tuning.request import categorical, continuous


@pytest.fixture
def platform(on_engine: Path) -> Iterator[Platform]:
    opened = open_platform(Configuration())
    with opened.applied():
        yield opened


@pytest.fixture(params=["low", "high"])
def interface(request: pytest.FixtureRequest, platform: Platform) -> Interface:
    return interfaces.make(request.param, platform)


def waiter() -> Waiter:
    return Waiter(EMBEDDED, threading.Event())


def finished(interface: Interface, name: str) -> tuple[TuningDetail, list[str]]:
    told: list[str] = []
    detail = operations.wait(
        interface.tuning, name, waiter(), lambda progress: told.append(progress.sentence), timeout=120
    )
    return detail, told


def test_a_tuning_job_runs_its_trials_and_its_best_is_warm_started_served_and_compared(
    interface: Interface, platform: Platform, tmp_path: Path
) -> None:
    name = trials.fresh("tune")
    request = trials.request(platform, interface, tmp_path, name)
    assert interface.tuning.describe(name) is None
    assert interface.tuning.create(request) == name
    detail, told = finished(interface, name)
    assert detail.row.status == "Completed", detail.failure_reason
    assert detail.row.counts.completed == detail.row.counts.succeeded == 4
    assert told[-1].startswith("Completed: 4 of 4 trials ended, 0 running, ")
    rows = interface.tuning.trials(name)
    assert [row.status for row in rows] == ["Completed"] * 4
    assert {tuple(row.tuned) for row in rows} <= {("rate", "depth"), ("depth", "rate")}
    best = operations.best_of(detail)
    assert best.value == min(row.value for row in rows if row.value is not None)
    assert interface.tuning.find(name) == [name]
    assert detail == tuning.describe(platform, name)

    for kind in ("IdenticalDataAndAlgorithm", "TransferLearning"):
        child = replace(
            asked.warm_started(detail, kind, trials.fresh("warm")),
            most_jobs=2,
        )
        interface.tuning.create(child)
        warm, _ = finished(interface, child.name)
        assert warm.row.status == "Completed", warm.failure_reason
        assert (warm.warm_start, warm.parents) == (kind, (name,))
        assert warm.row.counts.completed == 2
        assert {item.name for item in warm.ranges} == {"rate", "depth"}
        if kind == "IdenticalDataAndAlgorithm":
            assert warm.overall_best is not None and warm.overall_best.value is not None
            assert warm.overall_best.value <= (best.value or 0.0)

    planned = defaults.plan(detail, runs=3)
    assert planned.seed == "" and planned.notes
    started = defaults.start(interface.tuning, detail, planned)
    assert started == (f"{name}-default-01", f"{name}-default-02", f"{name}-default-03")

    def ended() -> tuple[bool, object]:
        states = [interface.describe_training(run) for run in started]
        return all(state is not None and state.ended for state in states), states

    waiter().until(ended, "the default runs", 120)
    view = tuning.view(platform, name, 0.0)
    assert [run.name for run in view.defaults] == list(started)
    # Without a seed all of them are the same: rate 0.5, depth 2, seed 0.
    found = comparison(view)
    assert len(found.values) == 3 and found.spread == pytest.approx(0.0, abs=1e-12)
    assert found.tuned == best.value and found.verdict in ("better", "worse")

    endpoint = operations.deployment(
        detail, jobs.describe(platform, best.name), endpoint=trials.fresh("best")
    )
    assert endpoint.tags["mlconsole:tuning-job"] == name
    interface.deploy(endpoint)

    def settled() -> tuple[bool, object]:
        state = interface.describe_endpoint(endpoint.name)
        assert state is not None and state.status != "Failed", state
        return state.status == "InService", state.status

    waiter().until(settled, "the endpoint", 120)
    answer = interface.invoke(endpoint.name, b"1\n2\n", "text/csv", "text/csv")
    assert [float(line) for line in answer.split()] == pytest.approx(
        [1 + (best.value or 0.0), 2 + (best.value or 0.0)], abs=1e-5
    )
    interface.delete_endpoint(endpoint.name)
    interface.delete_endpoint_config(endpoint.name)
    interface.delete_model(endpoint.name)
    assert interface.tuning.delete(name)
    assert interface.tuning.describe(name) is None
    assert not interface.tuning.delete(name)
    assert interface.describe_training(best.name) is not None


def test_a_running_tuning_job_is_stopped_with_its_trials(
    interface: Interface, platform: Platform, tmp_path: Path
) -> None:
    name = trials.fresh("stop")
    request = trials.request(platform, interface, tmp_path, name, static={"pause": "200"})
    interface.tuning.create(request)

    def running() -> tuple[bool, object]:
        found = interface.tuning.trials(name)
        return any(row.started for row in found), found

    waiter().until(running, "a trial", 60)
    with pytest.raises(Problem, match="a warm start needs a parent that has ended"):
        asked.warm_start(platform, name, "TransferLearning")
    interface.tuning.stop(name)
    detail, _ = finished(interface, name)
    assert detail.row.status == "Stopped"
    assert detail.row.counts.running == 0 and detail.row.counts.stopped >= 1
    assert not any(row.early_stopped for row in interface.tuning.trials(name))
    interface.tuning.stop(name)
    interface.tuning.stop(trials.fresh("nothing"))


def test_everything_that_can_be_asked_for_arrives(
    interface: Interface, platform: Platform, tmp_path: Path
) -> None:
    name = trials.fresh("all")
    request = trials.request(platform, interface, tmp_path, name)
    template = replace(
        request.templates[0],
        ranges=(continuous("rate", 1e-05, 0.25, "Logarithmic"), categorical("kind", ("a", "b c"))),
        environment={"COLOUR": "green"},
        volume_gb=7,
        more={"EnableManagedSpotTraining": False},
    )
    wanted = replace(
        request,
        templates=(template,),
        strategy="Bayesian",
        most_jobs=3,
        parallel=1,
        max_seconds=3600,
        early_stopping=True,
        target=0.001,
        most_not_improving=3,
        complete_on_convergence=True,
        random_seed=0,
    )
    interface.tuning.create(wanted)
    detail = interface.tuning.describe(name)
    assert detail is not None
    assert [(item.name, item.kind, item.low_text, item.high_text, item.scaling, item.values) for item in detail.ranges] == [
        ("rate", "continuous", "1e-05", "0.25", "Logarithmic", ()),
        ("kind", "categorical", "", "", "Auto", ("a", "b c")),
    ]  # fmt: skip
    assert (detail.row.strategy, detail.row.most_jobs, detail.row.parallel, detail.max_runtime) == (
        "Bayesian", 3, 1, 3600,
    )  # fmt: skip
    assert (detail.early_stopping, detail.target_value, detail.most_not_improving) == ("Auto", 0.001, 3)
    assert detail.complete_on_convergence and detail.random_seed == 0
    (definition,) = detail.definitions
    assert definition.instances == (("ml.m5.large", 1),)
    assert definition.static["sagemaker_program"] == "train.py"
    assert detail.raw["TrainingJobDefinition"]["Environment"] == {"COLOUR": "green"}
    again = asked.warm_started(
        replace(detail, row=replace(detail.row, status="Completed")), "TransferLearning", name="again"
    )
    assert again.templates[0].ranges == template.ranges
    assert again.templates[0].environment == template.environment
    assert again.templates[0].volume_gb == 7
    assert replace(again, warm_start="", parents=(), random_seed=0, name=name, templates=(), tags=wanted.tags) == replace(
        wanted, templates=()
    )  # fmt: skip
    interface.tuning.stop(name)
    finished(interface, name)


def test_a_training_job_becomes_a_tuning_job(
    interface: Interface, platform: Platform, tmp_path: Path
) -> None:
    name = trials.fresh("from")
    request = trials.request(platform, interface, tmp_path, name)
    static = {**request.templates[0].static, "rate": "0.4", "depth": "3"}
    run = interface.tuning.run(f"{name}-first", request.templates[0], static, {"mlconsole:test": name})

    def ended() -> tuple[bool, object]:
        state = interface.describe_training(run)
        return state is not None and state.ended, state

    waiter().until(ended, "the training job", 60)
    found = draft(jobs.describe(platform, run), name=name)
    assert [item.name for item in found.objectives] == ["validation:loss"]
    assert found.objectives[0].direction == "Minimize"
    assert {item.name for item in found.ranges} == {"rate", "depth"} and found.request.templates[
        0
    ].ranges == ()
    assert "choose what to search" in found.notes[0]
    rate = next(item for item in found.ranges if item.name == "rate")
    assert (rate.low, rate.high, rate.scaling) == (0.04, 1.0, "Logarithmic")
    chosen = searched(found, (rate,))
    assert chosen.templates[0].static["depth"] == "3" and "rate" not in chosen.templates[0].static
    interface.tuning.create(replace(chosen, most_jobs=2, strategy="Random"))
    detail, _ = finished(interface, name)
    assert detail.row.status == "Completed", detail.failure_reason
    assert detail.best is not None and set(detail.best.tuned) == {"rate"}


def test_what_the_sdk_has_launched_is_tuned_in_script_mode(platform: Platform, tmp_path: Path) -> None:
    high = interfaces.make("high", platform)
    name = trials.fresh("sdk")
    prefix = f"s3://{platform.bucket}/mlconsole/{name}"
    source = tmp_path / "source"
    (source / "inner").mkdir(parents=True)
    (source / "train.py").write_text("import inner.body\n")
    (source / "inner" / "__init__.py").write_text("")
    (source / "inner" / "body.py").write_text(f"SERVING = {trials.SERVING!r}\n{trials.PROGRAM}")
    (tmp_path / "rows.csv").write_text("1\n")
    job = high.train(
        TrainingRequest(
            name=name,
            image=images.pytorch("training", platform.region),
            source=source,
            entry_point="train.py",
            inputs={"train": high.upload(tmp_path / "rows.csv", f"{prefix}/data")},
            hyperparameters={"rate": "0.4", "depth": "2"},
            metrics=(trials.METRIC,),
            instance_type="ml.m5.large",
            max_seconds=300,
            prefix=prefix,
            tags={},
        )
    )

    def ended() -> tuple[bool, object]:
        state = high.describe_training(job)
        assert state is not None and state.status != "Failed", state
        return state.ended, state

    waiter().until(ended, "the training job", 120)
    found = draft_of(platform, job, name=trials.fresh("sdk"))
    assert "same script in script mode" in found.notes[-1]
    (template,) = found.request.templates
    assert [item.name for item in template.inputs] == ["train"]
    rate = next(item for item in found.ranges if item.name == "rate")
    high.tuning.create(replace(searched(found, (rate,)), most_jobs=2, strategy="Random"))
    detail, _ = finished(high, found.request.name)
    assert detail.row.counts.completed == 2, detail.failure_reason


def test_what_is_not_there_is_told_with_the_next_step(platform: Platform) -> None:
    name = trials.fresh("nothing")
    for ask in (tuning.describe, tuning.stop, tuning.delete):
        with pytest.raises(Problem, match=f"There is no tuning job {name}"):
            ask(platform, name)
    with pytest.raises(WorkflowError, match=f"There is no tuning job {name}"):
        operations.wait(interfaces.make("low", platform).tuning, name, waiter())
