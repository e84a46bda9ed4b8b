"""Gates: dead nets, one-class answers, guessing and losing to a baseline are seen before anything is hosted."""

from __future__ import annotations

import math

import pytest

from workflows.studies import gates
from workflows.studies.scores import confusion


def test_a_loss_that_stays_at_ln_2_is_a_dead_net() -> None:
    dead = gates.flat_loss("gate", [0.6931471824645996] * 80)
    assert dead.verdict == "fail"
    assert "0.6931" in dead.reason
    assert gates.flat_loss("gate", [0.69, 0.6, 0.4225]).verdict == "pass"
    assert gates.flat_loss("gate", []).verdict == "fail"
    assert gates.flat_loss("gate", [math.log(10)] * 5, classes=10).verdict == "fail"


def test_one_class_answers_fail() -> None:
    assert gates.both_classes("gate", [1] * 150).verdict == "fail"
    assert gates.both_classes("gate", [1, 0, 1]).verdict == "pass"
    assert gates.both_classes("gate", []).verdict == "fail"


@pytest.mark.parametrize(("correct", "verdict"), [(71, "fail"), (85, "fail"), (95, "pass"), (121, "pass")])
def test_chance_is_beaten_only_where_guessing_would_rarely_do(correct: int, verdict: str) -> None:
    assert gates.beats_chance("gate", correct, 150, 79 / 150).verdict == verdict


def test_the_baseline_decides_with_the_noise_of_paired_answers_in_mind() -> None:
    baseline = [True] * 135 + [False] * 15
    better = [True] * 138 + [False] * 12
    loser = [True] * 121 + [False] * 29
    little_short = [False] * 3 + [True] * 132 + [True] * 2 + [False] * 13
    assert gates.against_baseline("evaluate", "b", better, baseline).verdict == "pass"
    assert gates.against_baseline("evaluate", "b", baseline, baseline).verdict == "pass"
    assert gates.against_baseline("evaluate", "b", loser, baseline).verdict == "fail"
    assert gates.against_baseline("evaluate", "b", [False] + [True] * 94, [True] * 95).verdict == "warn"
    assert gates.against_baseline("evaluate", "b", [False] * 2 + [True] * 93, [True] * 95).verdict == "fail"
    noisy = gates.against_baseline("evaluate", "b", little_short, baseline)
    assert noisy.verdict == "warn"
    with pytest.raises(ValueError, match="zip"):
        gates.against_baseline("evaluate", "b", [True], baseline)


def test_the_notebooks_confusion_gives_the_notebooks_numbers() -> None:
    truth = [0] * 71 + [1] * 79
    predicted = [0] * 53 + [1] * 18 + [0] * 11 + [1] * 68
    counts = confusion(truth, predicted)
    assert (counts.tn, counts.fp, counts.fn, counts.tp) == (53, 18, 11, 68)
    assert (round(counts.recall, 3), round(counts.precision, 3), round(counts.accuracy, 3)) == (
        0.861,
        0.791,
        0.807,
    )
    with pytest.raises(ValueError, match="zip"):
        confusion([0, 1], [0])
