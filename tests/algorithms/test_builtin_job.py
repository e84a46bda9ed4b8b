"""A job as a built-in algorithm sees it: what everything random begins with."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest

from algorithms.builtin import job
from algorithms.builtin.failures import ClientError
from algorithms.formats import ndarray
from tests.algorithms import containers


def seed(base: Path, name: str) -> int:
    return job.read(base, "kmeans", "1", name=name, cpus=1).seed


def test_jobs_differ_and_a_retry_does_not(tmp_path: Path) -> None:
    assert seed(tmp_path, "one") == seed(tmp_path, "one")
    assert seed(tmp_path, "one") != seed(tmp_path, "two")


def test_another_jobs_seed_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(job.SEED, "7")
    assert seed(tmp_path, "one") == seed(tmp_path, "two") == 7
    for wrong in ("-1", "1.5", "x", str(2**32)):
        monkeypatch.setenv(job.SEED, wrong)
        with pytest.raises(ClientError, match="MLCONSOLE_RANDOM_SEED is"):
            seed(tmp_path, "one")


def test_what_is_learned_follows_the_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = numpy.random.default_rng(0).uniform(size=(400, 2))
    text = "\n".join(f"{a:.6f},{b:.6f}" for a, b in rows).encode()
    given = {"k": 7, "feature_dim": 2, "local_lloyd_num_trials": 1}

    def centres(folder: str, name: str) -> numpy.ndarray:
        monkeypatch.setenv("TRAINING_JOB_NAME", name)
        done = containers.train(
            tmp_path / folder, "kmeans", given, {"train": ("text/csv;label_size=0", {"rows.csv": text})}
        )
        assert done.status == 0, done.output + done.errors
        loaded = ndarray.load(done.model_dir / "model_algo-1")
        assert isinstance(loaded, list)
        return loaded[0]

    first = centres("a", "one")
    assert numpy.array_equal(first, centres("b", "one"))
    assert not numpy.array_equal(first, centres("c", "two"))


@pytest.mark.parametrize(
    ("repository", "given", "channel", "listed"),
    [
        ("pca", {"feature_dim": 1, "mini_batch_size": 1, "num_components": 1}, "validation", "train, test"),
        ("kmeans", {"feature_dim": 1, "k": 1}, "training", "train, test"),
        ("linear-learner", {"predictor_type": "regressor"}, "eval", "train, validation, test"),
        (
            "forecasting-deepar",
            {"time_freq": "D", "context_length": 1, "prediction_length": 1, "epochs": 1},
            "validation",
            "train, test",
        ),
    ],
)
def test_a_channel_that_would_be_left_unread_is_refused(
    tmp_path: Path, repository: str, given: dict[str, object], channel: str, listed: str
) -> None:
    known = {"train": ("", {"a": b""}), "test": ("", {"a": b""}), "sm_drivers": ("", {"a": b""})}
    done = containers.train(tmp_path, repository, given, {**known, channel: ("", {"a": b""})})
    assert done.status == 2
    assert done.failure == (
        "ClientError: Unable to initialize the algorithm. Failed to validate input data configuration. "
        f"(caused by ValidationError)\n\nCaused by: Additional properties are not allowed ('{channel}' was unexpected). "
        f"The channels of this algorithm are: {listed}."
    )


@pytest.mark.parametrize(
    ("repository", "given"),
    [
        ("pca", {"feature_dim": 2, "mini_batch_size": 1, "num_components": 1}),
        ("kmeans", {"feature_dim": 2, "k": 1}),
    ],
)
def test_a_test_channel_that_cannot_be_read_fails_the_job_before_it_trains(
    tmp_path: Path, repository: str, given: dict[str, object]
) -> None:
    rows = {"rows.csv": b"1,2\n3,4\n"}
    channels = {"train": ("text/csv;label_size=0", rows), "test": ("image/png", rows)}
    done = containers.train(tmp_path, repository, given, channels)
    assert done.status == 2
    assert "'image/png' is not one of" in done.failure
    assert not list(done.model_dir.iterdir())
