"""The token bucket, backing off, and what errors are turned into."""

from __future__ import annotations

import threading

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError

from tests.workflows.scripted import SteppedClock
from workflows.budget import BACKOFF_LIMIT, PACES, Backoff, Budget, shared
from workflows.explain import backend_lost, explain, throttled
from workflows.observe.gateway import Metered
from workflows.problem import Problem


def test_a_burst_is_free_and_then_calls_come_at_the_rate() -> None:
    clock = SteppedClock()
    budget = Budget(rate=0.5, burst=10, clock=clock)
    for _ in range(10):
        budget.acquire("sagemaker", urgent=True)
    assert clock.slept == []
    for _ in range(3):
        budget.acquire("sagemaker", urgent=True)
    assert sum(clock.slept) == pytest.approx(6)
    assert budget.calls == 13 and budget.calls_per_minute == 13
    clock.advance(61)
    assert budget.calls_per_minute == 0
    assert budget.tokens == pytest.approx(10)


def test_background_calls_leave_a_reserve_for_the_person() -> None:
    clock = SteppedClock()
    budget = Budget(rate=0.5, burst=10, clock=clock)
    for _ in range(7):
        budget.acquire("sagemaker")
    assert clock.slept == []
    budget.acquire("sagemaker", urgent=True)
    assert clock.slept == []
    budget.acquire("sagemaker")
    assert sum(clock.slept) == pytest.approx(4)


def test_other_services_cost_little_and_invocations_nothing() -> None:
    clock = SteppedClock()
    budget = Budget(rate=0.5, burst=10, clock=clock)
    for _ in range(1000):
        budget.acquire("sagemaker-runtime")
    for _ in range(50):
        budget.acquire("logs")
    assert clock.slept == [] and budget.calls == 1050
    assert budget.tokens == pytest.approx(5)


def test_throttling_halves_the_rate_down_to_a_floor_and_success_restores_it() -> None:
    budget = Budget(rate=1, burst=10, clock=SteppedClock())
    rates = []
    for _ in range(7):
        budget.throttled()
        rates.append(budget.rate)
    assert rates[:4] == [0.5, 0.25, 0.125, 0.0625] and rates[-1] == 0.05
    assert budget.throttles == 7 and budget.tokens == 0
    for _ in range(100):
        budget.succeeded()
    assert budget.rate == 1


def test_steady_polling_of_aws_stays_below_half_a_call_per_second() -> None:
    clock = SteppedClock()
    pace = PACES["aws"]
    budget = Budget(pace.rate, pace.burst, clock)
    began = clock.time()
    for _ in range(500):
        budget.acquire("sagemaker")
    assert 500 - pace.burst <= (clock.time() - began) * 0.5 <= 500


def test_one_account_and_region_has_one_budget() -> None:
    assert shared("aws", "111111111111", "eu-west-1") is shared("aws", "111111111111", "eu-west-1")
    assert shared("aws", "111111111111", "eu-west-1") is not shared("aws", "111111111111", "eu-west-2")


def test_threads_never_spend_a_token_twice() -> None:
    budget = Budget(rate=1e-9, burst=100, clock=SteppedClock())
    taken: list[int] = []

    def spend() -> None:
        for _ in range(25):
            budget.acquire("sagemaker", urgent=True)
            taken.append(1)

    threads = [threading.Thread(target=spend) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(taken) == 100
    assert budget.tokens == pytest.approx(0, abs=1e-6)


def test_waits_double_to_two_minutes_with_a_quarter_of_jitter_at_most() -> None:
    still = Backoff(5, lambda: 0.0)
    assert [still.next() for _ in range(7)] == [5, 10, 20, 40, 80, 120, 120]
    jittery = Backoff(5, lambda: 1.0)
    assert [jittery.next() for _ in range(6)] == [6.25, 12.5, 25, 50, 100, BACKOFF_LIMIT]
    jittery.reset()
    assert jittery.next() == 6.25


def aws(code: str, message: str, status: int = 400) -> ClientError:
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "ListTrainingJobs")  # type: ignore[arg-type]


DENIED = (
    "User: arn:aws:iam::1:user/x is not authorized to perform: sagemaker:ListTrainingJobs on resource: * "
    "because no identity-based policy allows it"
)


@pytest.mark.parametrize(
    ("error", "sentence", "remedy", "lost"),
    [
        (aws("ThrottlingException", "Rate exceeded"), "throttles ListTrainingJobs", "more slowly", False),
        (aws("ExpiredTokenException", "expired"), "credentials have expired", "aws sso login", True),
        (
            aws("UnrecognizedClientException", "invalid"),
            "credentials were not accepted",
            "get-caller-identity",
            True,
        ),
        (
            aws("AccessDeniedException", DENIED),
            "not allowed to call sagemaker:ListTrainingJobs",
            "policy",
            False,
        ),
        (aws("InternalFailure", "", 500), "failed inside the service (HTTP 500)", "retry", False),
        (aws("ValidationException", "Name is too long"), "Name is too long.", "", False),
        (NoCredentialsError(), "no usable AWS credentials", "--target embedded", True),
        (
            EndpointConnectionError(endpoint_url="https://x.test"),
            "cannot be reached at https://x.test",
            "network",
            True,
        ),
        (ReadTimeoutError(endpoint_url="https://x.test"), "no answer in time", "network", True),
    ],
)
def test_errors_become_a_sentence_and_a_next_step(
    error: Exception, sentence: str, remedy: str, lost: bool
) -> None:
    problem = explain(error, "aws")
    assert sentence in problem.sentence and problem.sentence.endswith(".")
    assert remedy in problem.remedy
    assert backend_lost(problem) is lost
    assert throttled(problem) is (problem.code == "ThrottlingException")
    assert str(problem).startswith(problem.sentence)


def test_the_embedded_target_has_its_own_remedies() -> None:
    problem = explain(EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "embedded")
    assert problem.sentence == "The embedded SageMaker does not answer."
    assert "mlconsole engine start" in problem.remedy


def test_a_metered_client_raises_problems_and_counts_every_call() -> None:
    from tests.workflows.scripted import Scripted

    def busy(**_: object) -> None:
        raise aws("ThrottlingException", "Rate exceeded")

    budget = Budget(10, 10, SteppedClock())
    metered = Metered(Scripted(list_endpoints=busy, list_training_jobs=lambda **_: {}), budget)
    metered.client("sagemaker").list_training_jobs(MaxResults=100)
    with pytest.raises(Problem, match="throttles"):
        metered.urgent().client("sagemaker").list_endpoints()
    assert (budget.calls, budget.throttles, budget.rate) == (2, 1, 5)
