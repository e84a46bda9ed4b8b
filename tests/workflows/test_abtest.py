"""A/B tests without an endpoint: definitions, journals, what events add up to, feeds, scores, sticky assignment."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workflows.abtest import feeding, operations, scoring
from workflows.abtest import journal as journals
from workflows.abtest.definition import Experiment, checked
from workflows.abtest.following import Follower
from workflows.abtest.journal import Journal
from workflows.abtest.promotion import plan, winner_only
from workflows.abtest.report import Report, report
from workflows.abtest.sticky import pseudonym, variant_of
from workflows.abtest.tally import Tally, failure
from workflows.problem import Problem

AB = Experiment(
    name="ab", endpoint="web", variants=("A", "B"), control="A", weights={"A": 1, "B": 1}, planned=2_000
)


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MLCONSOLE_EXPERIMENTS_DIR", str(tmp_path / "experiments"))


def begun(experiment: Experiment = AB, at: float = 0.0) -> Journal:
    """A running test whose weights hold since ``at``."""
    journal = journals.make(experiment)
    journal.append([{"t": "weights", "at": at, "weights": dict(experiment.weights)}])
    return journal


def asked(number: int, variant: str, at: float = 1.0, **more: Any) -> Mapping[str, Any]:
    return {"t": "request", "at": at, "id": f"r{number}", "v": variant, **more}


def rewarded(number: int, value: Any, at: float = 1.0) -> Mapping[str, Any]:
    return {"t": "reward", "at": at, "id": f"r{number}", "y": value}


def traffic(
    rates: Mapping[str, float], n: int, seed: int = 1, weights: Mapping[str, float] | None = None
) -> Iterator[Mapping[str, Any]]:
    """n requests, one a second, with their rewards."""
    draw = random.Random(seed)
    names = list(rates)
    for number in range(n):
        variant = draw.choices(names, [(weights or {}).get(name, 1.0) for name in names])[0]
        yield asked(number, variant, number + 1.0, ms=10 * math.exp(draw.gauss(0, 0.3)))
        yield rewarded(number, float(draw.random() < rates[variant]), number + 1.5)


def told(journal: Journal, now: float = 1e9) -> Report:
    return Follower(journal).report(now)


def test_a_clear_difference_gets_a_verdict_and_a_winner() -> None:
    """70 % against 85 % in 1,500 requests: B better, no guardrail broken, split right."""
    journal = begun()
    journal.append(traffic({"A": 0.70, "B": 0.85}, 1_500))
    found = told(journal)
    (one,) = found.comparisons
    assert (found.verdict, found.winner, one.verdict) == ("better", "B", "better")
    assert one.low < 0.15 < one.high
    assert one.p <= 0.05
    assert one.at < one.n == 1_500
    assert one.posterior is not None and one.posterior > 0.999
    assert not found.split_wrong
    assert not found.hurt
    assert [arm.requests for arm in found.arms] == [arm.rewarded for arm in found.arms]
    assert sum(arm.seen for arm in found.arms) == pytest.approx(1)
    assert one.left is None
    json.dumps(found.as_dict(), allow_nan=False)


def test_an_undecided_test_forecasts() -> None:
    """80 % against 82 %: keep watching, and how many more are needed at this pace."""
    journal = begun()
    journal.append(traffic({"A": 0.80, "B": 0.83}, 600, seed=4))
    found = told(journal, now=601.0)
    (one,) = found.comparisons
    assert (found.verdict, found.winner) == ("watching", "")
    assert found.per_second == pytest.approx(1, rel=0.05)
    assert one.left is not None and one.seconds is not None
    assert one.seconds == pytest.approx(one.left, rel=0.1)
    assert one.outcome == "different"


def test_the_verdict_does_not_depend_on_who_watches_and_how_often() -> None:
    """Read at once, line by line, or by a process that is killed in between: the same report."""
    journal = begun()
    watching = Follower(journal)
    for line in traffic({"A": 0.60, "B": 0.85}, 500, seed=2):
        journal.append([line])
        watching.update()
    again = told(journal, 0.0)
    assert watching.report(0.0).as_dict() == again.as_dict()
    assert again.verdict == "better"


def test_the_verdict_stays_when_the_data_turn() -> None:
    """B was better; a thousand bad answers of B later it still says so, and shows the present interval."""
    journal = begun()
    journal.append(traffic({"A": 0.6, "B": 0.8}, 500))
    first = told(journal).comparisons[0]
    journal.append(
        line
        for number in range(500, 1_500)
        for line in (asked(number, "AB"[number % 2]), rewarded(number, float(number % 2 == 0)))
    )
    later = told(journal).comparisons[0]
    assert first.verdict == later.verdict == "better"
    assert first.at == later.at
    assert later.high < 0


def test_only_matured_requests_count() -> None:
    """With 60 s to mature a reward that comes at once waits; one that comes later counts at once."""
    journal = begun(replace(AB, maturity=60.0))
    journal.append([asked(1, "A", 10.0), rewarded(1, 1, 11.0), asked(2, "B", 12.0)])
    assert (told(journal, 69.0).rewarded, told(journal, 69.0).maturing) == (0, 2)
    assert (told(journal, 71.0).rewarded, told(journal, 73.0).maturing) == (1, 0)
    journal.append([rewarded(2, 0, 500.0)])
    assert told(journal, 500.0).rewarded == 2


def test_a_missing_reward_may_count_as_zero() -> None:
    """After its time a conversion has not happened; one that is told later is late."""
    journal = begun(replace(AB, maturity=60.0, missing="zero"))
    journal.append([asked(1, "A", 10.0), asked(2, "B", 10.0), rewarded(2, 1, 40.0), rewarded(1, 1, 100.0)])
    found = told(journal, 100.0)
    assert found.rewarded == 2
    assert [arm.value for arm in found.arms] == [0.0, 1.0]
    assert found.oddities == {"late": 1}


def test_what_is_odd_is_counted_and_told() -> None:
    """Unknown ids, second rewards, impossible values, other variants, requests out of time, damaged lines."""
    journal = begun(at=5.0)
    journal.append(
        [
            asked(1, "A", 10.0),
            asked(1, "B", 10.0),
            rewarded(1, 1),
            rewarded(1, 0),
            rewarded(9, 1),
            rewarded(9, 1),
            asked(2, "B", 11.0),
            rewarded(2, 0.5),
            asked(3, "C", 11.0),
            asked(4, "A", 1.0),
            {"t": "unattributed", "at": 12.0, "id": "x"},
            {"t": "nonsense", "at": 1.0},
            {"t": "reward", "at": 1.0, "id": "r2", "y": "much"},
        ]
    )
    found = told(journal)
    assert found.oddities == {
        "unknown": 1, "duplicate": 2, "repeated": 1, "invalid": 1, "outside": 1, "foreign": 1, "unattributed": 1, "damaged": 2,
    }  # fmt: skip
    assert (found.requests, found.rewarded) == (2, 1)


def test_a_reward_may_come_before_its_request() -> None:
    """Assignments from captured data come minutes later."""
    journal = begun()
    journal.append([rewarded(1, 1), asked(1, "B")])
    found = told(journal)
    assert (found.rewarded, found.oddities) == (1, {})


def test_requests_while_weights_change_do_not_count() -> None:
    """Between two weights nobody knows by which one a request was routed; then a new segment counts."""
    journal = begun()
    journal.append([{"t": "weights", "at": 100.0, "weights": None}])
    journal.append([{"t": "weights", "at": 110.0, "weights": {"A": 1, "B": 3}}])
    journal.append([asked(1, "A", 50.0), asked(2, "B", 105.0), asked(3, "B", 111.0)])
    found = told(journal)
    assert (found.requests, found.oddities) == (2, {"outside": 1})
    assert [arm.share for arm in found.arms] == [0.25, 0.75]


def test_a_change_of_weights_while_the_base_rate_moves_is_no_effect() -> None:
    """From a canary of 10 % at a rate of 20 % to halves at 60 %: pooled B would look better by far."""
    journal = begun(replace(AB, weights={"A": 9, "B": 1}))
    lines = list(traffic({"A": 0.2, "B": 0.2}, 2_000, weights={"A": 9, "B": 1}))
    lines.append({"t": "weights", "at": 2_001.0, "weights": {"A": 1, "B": 1}})
    for line in traffic({"A": 0.6, "B": 0.6}, 2_000, seed=3):
        lines.append({**line, "id": f"{line['id']}-2", "at": float(line["at"]) + 2_001})
    journal.append(lines)
    found = told(journal)
    assert (found.arms[1].value or 0) - (found.arms[0].value or 0) > 0.1
    assert abs(found.comparisons[0].value) < 0.05
    assert found.verdict == "watching"
    assert not found.split_wrong


def test_a_router_that_ignores_the_weights_blocks_the_verdict() -> None:
    """Weights of 1:1, requests of 3:1: nothing is concluded, however different the variants are."""
    journal = begun()
    journal.append(traffic({"A": 0.5, "B": 0.9}, 800, weights={"A": 3, "B": 1}))
    found = told(journal)
    assert found.comparisons[0].verdict == "better"
    assert (found.verdict, found.winner, found.split_wrong) == ("split", "", True)


def test_errors_break_a_guardrail_though_the_metric_is_better() -> None:
    """B answers better and fails in 5 %: what is better hurts."""
    journal = begun()
    draw = random.Random(1)
    for number in range(2_000):
        variant = draw.choice("AB")
        fails = variant == "B" and draw.random() < 0.05
        journal.append([asked(number, variant, 1.0, **({"s": 424, "c": "ModelError"} if fails else {"ms": 5.0})),
                        rewarded(number, float(draw.random() < (0.7 if variant == "A" else 0.9)))])  # fmt: skip
    found = told(journal)
    assert found.comparisons[0].verdict == "better"
    assert (found.verdict, found.winner) == ("hurts", "")
    assert [(one.variant, one.name) for one in found.hurt] == [("B", "model-errors")]
    (broken,) = found.hurt
    assert broken.alpha == pytest.approx(0.05 / 4)
    assert broken.low > 1


def test_a_slower_variant_breaks_the_latency_guardrail() -> None:
    """Twice the latency is seen once both have 100 answers."""
    journal = begun()
    draw = random.Random(2)
    journal.append(
        asked(number, variant, 1.0, ms=(10 if variant == "A" else 20) * math.exp(draw.gauss(0, 0.5)))
        for number in range(600)
        for variant in [draw.choice("AB")]
    )
    found = told(journal)
    assert [one.name for one in found.hurt] == ["latency"]
    assert found.hurt[0].value == pytest.approx(2, rel=0.15)
    assert found.verdict == "worse"
    assert found.winner == "A"


def test_several_challengers_share_the_error_budget() -> None:
    """Three variants: each comparison at half of alpha, the one that is furthest ahead wins."""
    journal = begun(replace(AB, variants=("A", "B", "C"), weights={"A": 1, "B": 1, "C": 2}))
    journal.append(traffic({"A": 0.6, "B": 0.75, "C": 0.9}, 3_000, weights={"A": 1, "B": 1, "C": 2}))
    found = told(journal)
    assert [one.alpha for one in found.comparisons] == [0.025, 0.025]
    assert [one.verdict for one in found.comparisons] == ["better", "better"]
    assert (found.verdict, found.winner, found.split_wrong) == ("better", "C", False)


def test_within_the_margin_there_is_no_difference_that_matters() -> None:
    """The same variants, a margin of ten points: concluded without a winner."""
    journal = begun(replace(AB, margin=0.1))
    journal.append(traffic({"A": 0.8, "B": 0.8}, 2_000))
    found = told(journal)
    assert (found.verdict, found.winner) == ("same", "")


def test_ratios_of_positive_rewards() -> None:
    """A log metric, lower is better: B's rewards are 20 % smaller."""
    one = replace(AB, kind="log", direction="lower", metric="seconds")
    journal = begun(one)
    draw = random.Random(3)
    for number in range(1_200):
        variant = draw.choice("AB")
        scale = 1.0 if variant == "A" else 0.8
        journal.append([asked(number, variant), rewarded(number, scale * math.exp(draw.gauss(0, 0.5)))])
    journal.append([asked(5_000, "A"), rewarded(5_000, -1.0)])
    found = told(journal)
    assert found.comparisons[0].low < -0.2 < found.comparisons[0].high < 0
    assert (found.verdict, found.winner, found.oddities) == ("better", "B", {"invalid": 1})
    assert found.arms[0].value == pytest.approx(1, rel=0.1)


def test_users_of_a_sticky_test_count_once() -> None:
    """The unit is the user: further requests are told, not counted."""
    journal = begun(replace(AB, sticky=True))
    journal.append([asked(1, "A", u="x"), asked(2, "A", u="x"), asked(3, "B", u="y")])
    found = told(journal)
    assert (found.requests, found.oddities) == (2, {"same-user": 1})


# The journal


def test_a_torn_last_line_is_passed_over() -> None:
    """A writer was killed in the middle of a line: readers wait, the next writer ends it, nothing else is lost."""
    journal = begun()
    journal.append([asked(1, "A")])
    with journal.file.open("ab") as file:
        file.write(b'{"t":"reward","at":1,"id":"r1"')
    assert told(journal).requests == 1
    assert told(journal).oddities == {}
    journal.append([rewarded(1, 1)])
    found = told(journal)
    assert (found.rewarded, found.oddities) == (1, {"damaged": 1})


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_a_journal_cut_anywhere_is_read(tmp_path: Path, data: st.DataObject) -> None:
    """Whatever was lost at the end: the rest adds up, and writing goes on."""
    folder = tmp_path / os.urandom(6).hex()
    journal = Journal(folder)
    journal.begin(AB)
    journal.append([{"t": "weights", "at": 0.0, "weights": {"A": 1, "B": 1}}])
    journal.append(traffic({"A": 0.5, "B": 0.5}, 8))
    whole = journal.file.read_bytes()
    journal.file.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    lines = journal.read()[0]
    journal.append([asked(99, "A")])
    again, _, damaged = journal.read()
    assert again[: len(lines)] == lines
    assert len(again) - len(lines) in (1, 2)  # a last line that lacked nothing but its end is one
    assert again[-1]["id"] == "r99"
    assert damaged <= 1


def test_several_processes_write_one_journal() -> None:
    """Four processes with 100 batches each: every line is whole and there."""
    journal = begun()
    code = (
        "import sys; from pathlib import Path; from workflows.abtest.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "for i in range(100):\n"
        "    journal.append([{'t': 'request', 'at': 1.0, 'id': f'{sys.argv[2]}-{i}-{j}', 'v': 'A'} for j in range(5)])\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(journal.folder), str(n)]) for n in range(4)]
    assert [writer.wait(60) for writer in writers] == [0] * 4
    found = told(journal)
    assert (found.requests, found.oddities) == (2_000, {})


def test_tests_by_name() -> None:
    """One name, one test; what is not there says so."""
    begun()
    with pytest.raises(Problem, match="There is an A/B test ab already"):
        journals.make(AB)
    for name in ("nothing", "", "../ab", ".", "a/b"):
        with pytest.raises(Problem, match="There is no A/B test"):
            journals.find(name)
    assert [one.folder.name for one in journals.everything()] == ["ab"]
    assert journals.find("ab").experiment() == AB
    with pytest.raises(Problem, match="is running"):
        operations.remove("ab")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"variants": ("A",)}, "two variants or more"),
        ({"control": "C"}, "none of the variants"),
        ({"weights": {"A": 1, "B": 0}}, "would get no traffic"),
        ({"guardrails": ("5xx", "cpu")}, "no guardrail cpu"),
        ({"alpha": 0.9}, "alpha is 0.9"),
        ({"margin": 2.0}, "more than two rates can differ"),
        ({"missing": "zero"}, "cannot count as 0 at once"),
        ({"planned": 3}, "planned sample is 3"),
        ({"missing": "zero", "kind": "log", "maturity": 9.0}, "0 has no logarithm"),
        ({"name": "a b"}, "no name of an A/B test"),
    ],
)
def test_what_cannot_be_tested_is_refused(change: dict[str, Any], sentence: str) -> None:
    """With a sentence that names it and says what to do."""
    with pytest.raises(Problem, match=sentence) as caught:
        checked(replace(AB, **change))
    assert caught.value.remedy
    assert checked(AB) is AB


# Feeds


def test_feeds_of_all_shapes() -> None:
    """With a head or without, JSON lines, dates, truth values, assignments."""
    table = ["inferenceId,reward,at\n", "r1,1,10\n", "\n", 'r2,false,"2026-11-28T10:00:00Z"\n']
    one, two = feeding.rows("x.csv", table)
    assert (one.id, one.reward, one.at) == ("r1", 1.0, 10.0)
    assert (two.reward, two.at) == (0.0, 1795860000.0)
    assert [row.id for row in feeding.rows("x.csv", ["a,1", "b,0"])] == ["a", "b"]
    lines = [
        '{"inferenceId": "r3", "reward": true}',
        '{"id": "r4", "variant": "B", "ms": 3.5, "status": 424}',
    ]
    three, four = feeding.rows("x.jsonl", lines)
    assert three.reward == 1.0
    assert [*four.lines(5.0)] == [
        {"t": "request", "at": 5.0, "now": 5.0, "id": "r4", "v": "B", "ms": 3.5, "s": 424}
    ]


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([], "is empty"),
        (["inferenceId,reward", ",1"], "line 2 has no inferenceId"),
        (["r1,1", "r2,much"], "line 2 has a value that cannot be read"),
        (["r1,"], "line 1 has neither a reward nor a variant"),
        (['{"id": "r1", "reward": 1}', "{"], "line 2 is no JSON"),
    ],
)
def test_a_feed_that_cannot_be_read_names_the_line(lines: list[str], sentence: str) -> None:
    """What comes before it is taken."""
    with pytest.raises(Problem, match=sentence):
        list(feeding.rows("feed", lines))


def test_feeding_tells_what_came_of_it() -> None:
    """Rows, how many count now, and what was odd about the others; a function is asked for what has no reward yet."""
    journal = begun()
    journal.append([asked(1, "A"), asked(2, "B"), asked(3, "B")])
    found = operations.feed("ab", feeding.rows("x", ["r1,1", "r1,1", "r9,1", "r2,7"]))
    assert (found.rows, found.counted) == (4, 1)
    assert found.oddities == {"duplicate": 1, "unknown": 1, "invalid": 1}
    calls: Counter[str] = Counter()

    def known(request: str) -> float | None:
        calls[request] += 1
        return 1.0 if request == "r3" else None

    assert operations.feed_from("ab", known).counted == 1
    assert calls == {"r2": 1, "r3": 1}


# Scores


@pytest.mark.parametrize(
    ("body", "label", "right"),
    [
        (b"0.93", "1", 1), (b"0.93", "0", 0), (b"0.2\n", "0", 1), (b"2.0", "2", 1), (b"cat", "cat", 1), (b"0.1,0.7,0.2", "1", 1),
        (b'{"predictions": [{"score": 0.2, "predicted_label": 1}]}', "1", 1), (b'{"predictions": [{"score": 12.5}]}', "12.5", 1),
        (b"[[0.1, 0.9]]", "1", 1), (b'["dog"]', "cat", 0), (b"true", "1", 1),
    ],
)  # fmt: skip
def test_accuracy_of_the_answers_of_containers(body: bytes, label: str, right: int) -> None:
    """XGBoost's CSV, LinearLearner's JSON, scikit-learn's lists, probabilities and labels."""
    assert scoring.accuracy(body, label) == right


def test_errors_of_predictions() -> None:
    """Regression: the distance, its square; what is no number is told."""
    assert scoring.absolute_error(b"3.5", "3") == 0.5
    assert scoring.squared_error(b'{"predictions":[{"score":1}]}', "3") == 4
    with pytest.raises(Problem, match="is no number"):
        scoring.absolute_error(b"cat", "3")
    with pytest.raises(Problem, match="is empty"):
        scoring.accuracy(b"", "1")
    with pytest.raises(Problem, match="no score"):
        scoring.score_of("f2")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [(200, "", ""), (424, "ModelError", "model-errors"), (400, "ValidationError", "4xx"), (429, "ThrottlingException", "4xx"),
     (503, "ServiceUnavailable", "5xx"), (0, "timeout", "5xx"), (0, "ModelError", "model-errors")],
)  # fmt: skip
def test_which_guardrail_a_failure_counts_for(status: int, code: str, kind: str) -> None:
    """By HTTP status and AWS code."""
    assert failure(status, code) == kind


# Sticky assignment


def test_users_stick_and_shares_hold() -> None:
    """The same user, the same variant; ten thousand users split as the weights say; more weight moves users one way only."""
    weights = {"A": 3.0, "B": 1.0}
    users = [f"user-{n}" for n in range(10_000)]
    first = [variant_of(user, weights, "s") for user in users]
    assert first == [variant_of(user, weights, "s") for user in users]
    assert Counter(first)["B"] / 10_000 == pytest.approx(0.25, abs=0.02)
    more = [variant_of(user, {"A": 1.0, "B": 1.0}, "s") for user in users]
    assert {(a, b) for a, b in zip(first, more, strict=True) if a != b} == {("A", "B")}
    assert variant_of("x", {"A": 0.0, "B": 1.0}, "s") == "B"
    assert pseudonym("anna", "s") != pseudonym("anna", "t")


# Promotion


def test_a_winner_is_promoted_or_named() -> None:
    """The plan says what happens, and what speaks against it."""
    journal = begun()
    with pytest.raises(Problem, match="has no winner: there is no verdict yet"):
        plan("ab")
    assert "does not say that B is the best" in plan("ab", "B").doubt
    journal.append(traffic({"A": 0.5, "B": 0.85}, 600))
    made = plan("ab", how="canary")
    assert (made.variant, made.doubt) == ("B", "")
    assert "steps of 10%" in made.sentences[1]
    with pytest.raises(Problem, match="is no variant"):
        plan("ab", "Z")


def test_a_configuration_of_the_winner_only() -> None:
    """Its other members stay; it gets weight 1 and the instances that it has now."""
    config = {
        "ProductionVariants": [
            {"VariantName": "A", "InitialInstanceCount": 1, "InitialVariantWeight": 9.0},
            {"VariantName": "B", "InitialInstanceCount": 1, "InitialVariantWeight": 1.0},
        ],
        "KmsKeyId": "k",
    }
    assert winner_only(config, "B", {"A": 1, "B": 3}) == {
        "ProductionVariants": [{"VariantName": "B", "InitialInstanceCount": 3, "InitialVariantWeight": 1.0}],
        "KmsKeyId": "k",
    }
    assert len(config["ProductionVariants"]) == 2


def test_a_long_test_is_cheap_to_watch() -> None:
    """What grows with the number of requests is taken once; a look back costs the number of segments."""
    tally = Tally(AB)
    tally.take([{"t": "weights", "at": 0.0, "weights": {"A": 1, "B": 1}}])
    tally.take(traffic({"A": 0.5, "B": 0.51}, 20_000))
    found = report(tally, 20_001.0)
    assert found.requests == 20_000
    assert len(found.comparisons[0].history) < 700
