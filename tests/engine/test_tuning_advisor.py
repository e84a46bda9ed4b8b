"""The advisor: its suggestions against random draws, and its process as the engine drives it."""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.tuning import record, sampling, suggestions
from engine.tuning.advisor import suggest as advise
from engine.tuning.planning import Planner
from engine.tuning.ranges import Parameter, key_of, read
from engine.tuning.record import Trial
from engine.tuning.suggestions import Advisor, AdvisorError
from tests.engine.test_tuning_ranges import parameters
from tests.engine.tuning import categorical, config, continuous, integer, ranges

TOY = [
    continuous("lr", 1e-5, 1.0, "Logarithmic"),
    continuous("wd", 1e-6, 0.1, "Logarithmic"),
    integer("n", 8, 64),
    categorical("c", "a", "b", "c"),
]


def toy(given: Mapping[str, str]) -> float:
    """A 4-D function whose minimum of 0 lies at lr=10**-2.5, wd=1e-4, n=37, c=b."""
    steps = (
        (math.log10(float(given["lr"])) + 2.5) ** 2,
        0.5 * (math.log10(float(given["wd"])) + 4) ** 2,
        0.002 * (int(given["n"]) - 37) ** 2,
        {"a": 0.3, "b": 0.0, "c": 0.5}[given["c"]],
    )
    return sum(steps)


def document(
    strategy: str, jobs: int, *items: Mapping[str, Any], seed: int = 0, **changes: Any
) -> dict[str, Any]:
    """As much of a tuning job's document as a planner looks at."""
    return {
        "HyperParameterTuningJobConfig": config(strategy, jobs, 1, *items, **changes),
        "TrainingJobDefinition": {"AlgorithmSpecification": {}},
        "_seed": seed,
    }


def trial(number: int, parameters: dict[str, str], value: float | None, **changes: Any) -> Trial:
    """A trial that ended with a value, or that runs."""
    status = "InProgress" if value is None else "Completed"
    return Trial(
        f"t-{number:03d}", number, 0, parameters, float(number), status=status, value=value, **changes
    )


@pytest.fixture
async def advisor(tmp_path: Path) -> AsyncIterator[Advisor]:
    found = Advisor(tmp_path / "advisor.log")
    yield found
    await found.close()


async def search(advisor: Advisor, strategy: str, jobs: int, seed: int) -> list[Trial]:
    """A tuning job's trials, one after another, on the toy."""
    planner = Planner(document(strategy, jobs, *TOY, seed=seed), [])
    trials: list[Trial] = []
    while (plan := planner.next(trials)) is not None:
        if plan.request is not None:
            plan = planner.answered(plan, await advisor.ask(plan.request), trials)
        assert plan.parameters is not None
        trials.append(trial(len(trials) + 1, plan.parameters, toy(plan.parameters)))
    return trials


@pytest.mark.slow
async def test_bayesian_finds_a_better_optimum_than_random_in_thirty_trials(tmp_path: Path) -> None:
    advisors = [Advisor(tmp_path / f"{index}.log") for index in range(2)]

    async def best(seed: int) -> float:
        trials = await search(advisors[seed % 2], "Bayesian", 30, seed)
        assert len({key_of(one.parameters, read(ranges(*TOY))) for one in trials}) == 30
        return min(toy(one.parameters) for one in trials)

    try:
        bayesian = await asyncio.gather(*(best(seed) for seed in range(5)))
    finally:
        for one in advisors:
            await one.close()
    space = read(ranges(*TOY))
    random = [min(toy(sampling.draw(space, seed, number)) for number in range(30)) for seed in range(5)]
    assert all(model < chance for model, chance in zip(bayesian, random, strict=True)), (bayesian, random)
    assert sum(bayesian) / 5 < 0.1 * sum(random) / 5


async def test_running_trials_are_not_suggested_again(advisor: Advisor) -> None:
    planner = Planner(document("Bayesian", 30, *TOY), [])
    trials = [
        trial(number + 1, given, toy(given))
        for number in range(10)
        for given in [sampling.draw(read(ranges(*TOY)), 3, number)]
    ]
    for _ in range(4):
        plan = planner.next(trials)
        assert plan is not None
        assert plan.request is not None
        assert sum(1 for item in plan.request["trials"] if item["value"] is None) == len(trials) - 10
        parameters = await advisor.ask(plan.request)
        trials.append(trial(len(trials) + 1, parameters, None))
    running = trials[10:]
    assert len({key_of(one.parameters, read(ranges(*TOY))) for one in running}) == 4


async def test_failed_configurations_count_as_the_worst() -> None:
    planner = Planner(document("Bayesian", 30, *TOY), [])
    given = sampling.draw(read(ranges(*TOY)), 3, 0)
    trials = [trial(number + 1, given, float(number)) for number in range(10)]
    trials.append(trial(11, {**given, "c": "c"}, None, reason="AlgorithmError: no"))
    trials[-1].status = "Failed"
    plan = planner.next(trials)
    assert plan is not None
    assert plan.request is not None
    assert plan.request["trials"][-1] == {"parameters": {**given, "c": "c"}, "value": 9.0}


async def test_beyond_two_hundred_trials_the_parzen_estimator_answers(advisor: Advisor) -> None:
    space = read(ranges(*TOY))
    planner = Planner(document("Bayesian", 500, *TOY), [])
    trials = [
        trial(number + 1, given, toy(given))
        for number in range(201)
        for given in [sampling.draw(space, 3, number)]
    ]
    plan = planner.next(trials)
    assert plan is not None
    assert plan.request is not None
    assert plan.request["sampler"] == "tpe"
    found = await advisor.ask(plan.request)
    assert all(parameter.contains(found[parameter.name]) for parameter in space)


@settings(max_examples=25)
@given(
    st.lists(parameters(), min_size=1, max_size=4),
    st.integers(0, 2**31 - 1),
    st.integers(1, 4),
    st.booleans(),
)
def test_suggestions_lie_in_any_space(space: list[Parameter], seed: int, count: int, minimize: bool) -> None:
    named = [replace(parameter, name=f"p{number}") for number, parameter in enumerate(space)]
    trials: list[tuple[Mapping[str, str], float | None]] = [
        (sampling.draw(named, seed, number), None if number % 3 == 2 else number / 7)
        for number in range(count)
    ]
    request = suggestions.request(named, trials, minimize=minimize, seed=seed, sampler="tpe")
    # As it travels.
    found = advise(json.loads(json.dumps(request)))
    assert all(parameter.contains(found[parameter.name]) for parameter in named)


async def test_a_parameter_with_one_value_is_no_obstacle(advisor: Advisor) -> None:
    space = read(ranges(continuous("x", 0.0, 1.0), categorical("c", "only")))
    trials = [({"x": str(number / 4), "c": "only"}, float(number)) for number in range(4)]
    found = await advisor.ask(suggestions.request(space, trials, minimize=True, seed=1, sampler="gp"))
    assert found["c"] == "only"
    assert 0 <= float(found["x"]) <= 1


async def test_the_same_history_gets_the_same_answer(advisor: Advisor) -> None:
    space = read(ranges(*TOY))
    trials = [(given, toy(given)) for number in range(6) for given in [sampling.draw(space, 3, number)]]
    request = suggestions.request(space, trials, minimize=True, seed=5, sampler="gp")
    assert await advisor.ask(request) == await advisor.ask(request)


async def test_a_killed_advisor_is_started_again(advisor: Advisor) -> None:
    request = suggestions.request(
        read(ranges(continuous("x", 0.0, 1.0))), [({"x": "0.5"}, 1.0)], minimize=True, seed=1, sampler="tpe"
    )
    first = await advisor.ask(request)
    assert advisor.process is not None
    pid = advisor.process.pid
    os.kill(pid, signal.SIGKILL)
    assert await advisor.ask(request) == first
    assert advisor.process is not None
    assert advisor.process.pid != pid


async def test_what_the_advisor_cannot_answer_is_told(advisor: Advisor) -> None:
    with pytest.raises(AdvisorError, match="KeyError"):
        await advisor.ask({"space": []})


async def test_an_idle_advisor_ends(tmp_path: Path) -> None:
    advisor = Advisor(tmp_path / "log", idle_seconds=0.05)
    request = suggestions.request(
        read(ranges(continuous("x", 0.0, 1.0))), [({"x": "0.5"}, 1.0)], minimize=True, seed=1, sampler="tpe"
    )
    await advisor.ask(request)
    assert advisor.process is not None
    process = psutil.Process(advisor.process.pid)
    async with asyncio.timeout(60):
        while advisor.process is not None or process.is_running():  # killed is not yet gone
            await asyncio.sleep(0.02)
    await advisor.ask(request)
    await advisor.close()


def test_the_advisor_ends_with_its_parent() -> None:
    program = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-P', '-m', 'engine.tuning.advisor'], stdin=subprocess.PIPE)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    psutil.wait_procs([child], timeout=60)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_the_engine_loads_no_model() -> None:
    program = (
        "import sys\nfrom engine import services\nimport engine.context\nservices.load()\n"
        "print([name for name in ('optuna', 'torch', 'numpy', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_retries_are_planned_first_and_count_once() -> None:
    planner = Planner(document("Random", 2), [])
    first = Trial("t-1", 1, 0, {"x": "0.5"}, 1.0, status="Failed", reason="InternalServerError: no")
    plan = planner.next([first])
    assert plan is not None
    assert (plan.again, plan.parameters) == ("t-1", {"x": "0.5"})
    second = Trial("t-2", 2, 0, {"x": "0.5"}, 2.0, again="t-1", status="Completed", value=1.0)
    assert planner.left([first, second]) == 1
    plan = planner.next([first, second])
    assert plan is not None
    assert not plan.again
    lost = [
        Trial(f"t-{number}", number, 0, {"x": "0.5"}, 1.0, again=f"t-{number - 1}" if number > 1 else "",
              status="Failed", reason="InternalServerError: no")
        for number in range(1, 4)
    ]  # fmt: skip
    plan = planner.next(lost)
    assert plan is not None
    assert not plan.again
    assert record.counters(lost)["TrainingJobStatusCounters"]["RetryableError"] == 3
