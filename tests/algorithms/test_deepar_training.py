"""DeepAR's training job: its log lines, its model, its failures, what it learns."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from algorithms.builtin import deepar
from algorithms.builtin.deepar import evaluation
from algorithms.builtin.deepar.artefact import load as load_model
from algorithms.builtin.deepar.series import Series
from algorithms.builtin.failures import AlgorithmError, ClientError
from algorithms.builtin.job import Channel, Job
from algorithms.formats import ndarray
from tests.algorithms import containers
from tests.algorithms.deepar import SMALL, lines, rows

REPOSITORY = "forecasting-deepar"
FILES = ["model_algo-1-0000.params", "model_algo-1-config.json", "model_algo-1-symbol.json"]


def job(folder: Path, hyperparameters: Mapping[str, object], **channels: bytes) -> Job:
    """A job in this process."""
    found = {}
    for name, content in channels.items():
        (folder / name).mkdir(parents=True)
        (folder / name / f"{name}.json").write_bytes(content)
        found[name] = Channel(name, folder / name, "")
    texts = {name: str(value) for name, value in {**SMALL, **hyperparameters}.items()}
    return Job(
        "j", REPOSITORY, "1", texts, found, folder / "model", folder / "output", folder / "checkpoints", 1
    )


def run(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    hyperparameters: Mapping[str, object] = {},
    **channels: bytes,
) -> str:
    capsys.readouterr()
    deepar.train(job(folder, hyperparameters, **channels))
    return capsys.readouterr().out


def quality(output: str, name: str) -> list[float]:
    return [float(value) for value in re.findall(rf"#quality_metric: host=\S+, {name} <loss>=(\S+)", output)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> containers.Trained:
    channels = {
        "train": ("", {"train.json": lines(rows())}),
        "test": ("", {"test.json": lines(rows(length=65))}),
    }
    found = containers.train(tmp_path_factory.mktemp("job"), REPOSITORY, SMALL, channels)
    assert found.status == 0, found.errors
    return found


def test_the_log_has_the_containers_lines(trained: containers.Trained) -> None:
    output = trained.output
    for line in (
        "Docker entrypoint called with argument(s): train",
        "Reading default configuration from ",
        "'likelihood': 'student-t'",
        "Final configuration: ",
        "[cardinality=auto] `cat` field was NOT found in the file `/opt/ml/input/data/train/train.json` and will NOT be used for training.",
        "Training set statistics:",
        "Real time series",
        "number of time series: 6",
        "number of observations: 360",
        "mean target length: 60.0",
        "contains missing values: no",
        "Test set statistics:",
        "Small number of time series. Doing 54 passes over dataset with prob 0.9876543209876543 per epoch.",
        "best epoch loss so far",
        "#progress_metric: host=algo-1, completed 50.0 % of epochs",
        "#throughput_metric: host=algo-1, train throughput=",
        "Worker algo-1 finished training.",
        'Saved checkpoint to "/opt/ml/model/model_algo-1-0000.params"',
        "Successfully serialized the model for prediction.",
        "Evaluating model accuracy on testset using 20 samples",
    ):
        assert line in output, line
    assert re.search(
        r"^\[\d\d/\d\d/\d{4} \d\d:\d\d:\d\d INFO \d+\] Epoch\[0\] Batch\[0\] avg_epoch_loss=-?\d+\.\d{6}$",
        output,
        re.M,
    )
    assert re.search(
        r"Epoch\[0\] Batch \[5\]\tSpeed: \d+\.\d\d samples/sec\tloss=-?\d+\.\d{6}$", output, re.M
    )
    assert re.search(r"processed a total of \d+ examples$", output, re.M)
    assert re.search(r"#quality_metric: host=algo-1, epoch=1, batch=5 train loss <loss>=-?\d+\.\d+", output)
    assert re.search(r"Final loss: -?\d+\.\d+ \(occurred at epoch \d+\)$", output, re.M)
    for name in (
        "RMSE",
        "mean_absolute_QuantileLoss",
        "mean_wQuantileLoss",
        *(f"wQuantileLoss[{k / 10}]" for k in range(1, 10)),
    ):
        assert f"#test_score (algo-1, {name}): " in output
    metrics = [json.loads(found) for found in re.findall(r"^#metrics (\{.*\})$", output, re.M)]
    names = {name for metric in metrics for name in metric["Metrics"]}
    assert {
        "epochs",
        "update.time",
        "initialize.time",
        "model.serialize.time",
        "model.score.time",
        "setuptime",
        "totaltime",
    } <= names
    assert {metric["Dimensions"]["Algorithm"] for metric in metrics} == {"AWS/DeepAR"}


def test_the_metrics_of_tuning_are_in_the_log(trained: containers.Trained) -> None:
    epochs = quality(trained.output, r"epoch=\d+, train loss")
    assert len(epochs) == SMALL["epochs"]
    assert quality(trained.output, "train final_loss") == [min(epochs)]
    (rmse,), (loss,) = (
        quality(trained.output, "test RMSE"),
        quality(trained.output, "test mean_wQuantileLoss"),
    )
    assert rmse > 0 and 0 < loss < 1


def test_the_model_has_the_containers_files(trained: containers.Trained) -> None:
    assert sorted(path.name for path in trained.model_dir.iterdir()) == FILES
    arrays = ndarray.load(trained.model_dir / FILES[0])
    assert isinstance(arrays, dict)
    symbol = json.loads((trained.model_dir / FILES[2]).read_text())
    assert {node["name"]: tuple(node["shape"]) for node in symbol["nodes"]} == {
        k: v.shape for k, v in arrays.items()
    }
    assert json.loads((trained.model_dir / FILES[1]).read_text())["prediction_length"] == 5


def test_a_failure_is_the_customers_and_tells_where(tmp_path: Path) -> None:
    broken = lines(rows()) + b'{"start": "2021-01-04", "target": [1, "two"]}\n'
    found = containers.train(tmp_path, REPOSITORY, SMALL, {"train": ("", {"train.json": broken})})
    assert found.status == 2
    assert found.failure.startswith(
        "ClientError: Unable to read data channel 'train', file train.json, line 7: 'target' has 'two'"
    )
    assert "Traceback" not in found.errors


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            lines(rows(2, 60)),
            "at least 300 observations in total across all training time series, .* has 120",
        ),
        (
            lines([{"start": "2021-01-04", "target": [None] * 400 + [1.0] * 299}]),
            "at least 300 observations .* has 299",
        ),
        (lines([{"start": "2021-01-04", "target": [0] * 400}]), "training time series consist of only zeros"),
        (lines(rows(3, 4)), "3 time series are shorter than prediction_length"),
        (b"\n", "No usable time series in data channel 'train': its files hold no line"),
    ],
    ids=["few", "missing", "zeros", "short", "none"],
)
def test_too_little_data_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(ClientError, match=words):
        deepar.train(job(tmp_path, {}, train=content))


def test_a_missing_channel_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="Missing required channel 'train'"):
        deepar.train(job(tmp_path, {}, test=lines(rows())))


def transformed(likelihood: str) -> list[dict[str, Any]]:
    series = rows(5, 90, dynamic_feat=[[float(step % 2) for step in range(90)]])
    for number, item in enumerate(series):
        item["cat"] = [number % 2, 0]
        if likelihood == "beta":
            item["target"] = [0.01 + 0.9 * value / 100 for value in item["target"]]
        elif likelihood == "negative-binomial":
            item["target"] = [round(value) for value in item["target"]]
        item["target"][3:9] = [None, "NaN", *item["target"][5:8], None]
    return series


@pytest.mark.parametrize(
    "likelihood", ["gaussian", "beta", "negative-binomial", "student-T", "deterministic-L1"]
)
def test_every_likelihood_learns_with_categories_features_and_gaps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], likelihood: str
) -> None:
    content = lines(transformed(likelihood))
    output = run(
        tmp_path, capsys, {"likelihood": likelihood.upper(), "epochs": 5}, train=content, test=content
    )
    losses = quality(output, r"epoch=\d+, train loss")
    assert losses[-1] < losses[0]
    assert "Inferred value of cardinality from dataset: [2, 1]" in output
    assert "Inferred value of num_dynamic_feat from dataset: 1" in output
    assert "contains missing values: yes" in output
    assert quality(output, "test mean_wQuantileLoss")[0] < 0.6
    servant = deepar.load(tmp_path / "model", "1")
    instance = {"start": "2021-01-04", "target": [0.5, 0.25], "cat": [1, 0], "dynamic_feat": [[1.0] * 7]}
    if likelihood == "negative-binomial":
        instance["target"] = [4, 5]
    reply = servant.answer(
        json.dumps({"instances": [instance], "configuration": {"output_types": ["samples"]}}).encode(), {}
    )
    assert reply.status == 200
    samples = np.array(json.loads(reply.body)["predictions"][0]["samples"])
    assert samples.shape == (100, 5)
    if likelihood == "beta":
        assert samples.min() > 0 and samples.max() < 1
    if likelihood == "negative-binomial":
        np.testing.assert_allclose(samples, np.round(samples), atol=1e-4)
        assert samples.min() >= 0
    if likelihood == "deterministic-L1":
        assert (samples == samples[0]).all()


def test_a_seed_repeats_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = lines(rows())
    once, again = (run(tmp_path / name, capsys, train=content, test=content) for name in "ab")
    other = run(tmp_path / "c", capsys, {"random_seed": 8}, train=content, test=content)
    names = ("train final_loss", "test RMSE", "test mean_wQuantileLoss")
    assert [quality(once, name) for name in names] == [quality(again, name) for name in names]
    assert quality(once, "train final_loss") != quality(other, "train final_loss")
    for name in FILES:
        assert (tmp_path / "a/model" / name).read_bytes() == (tmp_path / "b/model" / name).read_bytes()


def test_training_ends_early_and_keeps_the_best_epoch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = {"epochs": 60, "early_stopping_patience": 2, "learning_rate": 0.1}
    output = run(tmp_path, capsys, more, train=lines(rows()))
    losses = quality(output, r"epoch=\d+, train loss")
    best = int(np.argmin(losses))
    assert len(losses) == best + 3 < 60
    assert "Using early stopping with patience 2" in output
    assert f"Loading parameters from best epoch ({best})" in output
    assert "stopping training now" in output
    assert f"Final loss: {losses[best]} (occurred at epoch {best})" in output
    assert output.count("loss did not improve") >= 2


def test_short_series_are_said_to_be_ignored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = run(tmp_path, capsys, {"epochs": 1}, train=lines(rows() + rows(2, 4)), test=lines(rows(1, 3)))
    assert "WARNING" in output
    assert "2 training time series are shorter than prediction_length (5) and are ignored." in output
    assert "1 test time series are shorter" in output
    assert "test_score" not in output


def test_test_series_without_a_last_value_have_no_score(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unknown = [{"start": "2021-01-04", "target": [1.0] * 20 + [None] * 5}]
    output = run(tmp_path, capsys, {"epochs": 1}, train=lines(rows()), test=lines(unknown))
    assert "The last 5 points of all test time series are missing: there is no score." in output
    assert "test RMSE" not in output


def test_a_loss_that_is_not_finite_ends_the_job(tmp_path: Path) -> None:
    extreme = [{"start": "2021-01-04", "target": [1e-8] * 150 + [1e38] * 150}]
    with pytest.raises(
        AlgorithmError, match=r"batch \d+ of epoch 0 is not finite .* look for extreme values"
    ):
        deepar.train(job(tmp_path, {"likelihood": "gaussian"}, train=lines(extreme)))


def test_scores_are_those_of_the_developer_guide() -> None:
    actual = np.array([[1.0, 2.0, np.nan], [4.0, -5.0, 6.0]])
    paths = np.random.default_rng(0).normal(3, 2, (2, 40, 3))

    class Known:
        class view:
            horizon = 3

        def paths(self, series: list[Series], samples: int, seed: int) -> Any:
            return iter(paths)

    series = [Series(0, np.concatenate([[9.0], row]).astype(np.float32), None, None) for row in actual]
    found = evaluation.score(Known(), series, (0.1, 0.5), 40, 0, lambda number: None)  # type: ignore[arg-type]
    there = ~np.isnan(actual)
    mean = paths.mean(axis=1)
    assert found.rmse == pytest.approx(np.sqrt(((mean - actual)[there] ** 2).mean()))
    for tau in (0.1, 0.5):
        forecast = np.quantile(paths, tau, axis=1)
        loss = np.where(
            forecast > actual, (1 - tau) * np.abs(forecast - actual), tau * np.abs(forecast - actual)
        )
        assert found.weighted[tau] == pytest.approx(2 * loss[there].sum() / np.abs(actual[there]).sum())
    assert found.mean_weighted == pytest.approx(np.mean(list(found.weighted.values())))
    assert found.mean_absolute == pytest.approx(found.mean_weighted * np.abs(actual[there]).sum())


def test_it_beats_the_seasonal_naive_forecast(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    random = np.random.default_rng(1)
    steps = np.arange(140)
    series = []
    for _ in range(20):
        level = random.uniform(10, 60)
        wave = 1 + 0.5 * np.sin(2 * np.pi * (steps / 7 + random.uniform()))
        series.append(
            {
                "start": "2021-01-04",
                "target": np.abs(level * (wave + 0.15 * random.normal(size=140))).tolist(),
            }
        )
    train = [{**item, "target": item["target"][:-7]} for item in series]
    more = {
        "prediction_length": 7,
        "context_length": 14,
        "epochs": 25,
        "num_cells": 20,
        "num_eval_samples": 100,
    }
    output = run(tmp_path, capsys, more, train=lines(train), test=lines(series))
    # The four last weeks as samples of the next.
    naive = np.array([np.array(item["target"][-35:-7]).reshape(4, 7) for item in series])
    actual = np.array([item["target"][-7:] for item in series])
    losses = []
    for tau in np.arange(1, 10) / 10:
        above = actual - np.quantile(naive, tau, axis=1)
        losses.append(2 * np.maximum(tau * above, (tau - 1) * above).sum() / np.abs(actual).sum())
    assert quality(output, "test mean_wQuantileLoss")[0] < 0.95 * np.mean(losses)


def test_a_damaged_model_is_refused_with_what_it_holds(tmp_path: Path, trained: containers.Trained) -> None:
    with pytest.raises(ClientError, match=r"no model_algo-1-config.json.*They hold: nothing"):
        deepar.load(tmp_path, "1")
    (tmp_path / "model_algo-1").write_bytes(b"x")
    with pytest.raises(ClientError, match="They hold: model_algo-1"):
        deepar.load(tmp_path, "1")
    for name in FILES:
        (tmp_path / name).write_bytes((trained.model_dir / name).read_bytes())
    deepar.load(tmp_path, "1")
    (tmp_path / FILES[0]).write_bytes((trained.model_dir / FILES[0]).read_bytes()[:-40])
    with pytest.raises(ClientError, match="cannot be read"):
        load_model(tmp_path)
    (tmp_path / FILES[1]).write_text("{}")
    with pytest.raises(ClientError, match="cannot be read"):
        load_model(tmp_path)
