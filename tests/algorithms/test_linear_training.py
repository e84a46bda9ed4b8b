"""LinearLearner as a container: logs that AWS's metric definitions read, models that are right, bad data that is named."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as reference
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from algorithms.builtin.linear import artefact
from algorithms.builtin.linear.model import Model, raw_scores
from algorithms.formats import ndarray, records
from tests.algorithms.containers import Channels, Trained, prepare, train
from tests.algorithms.linear import CSV, RECORDIO, binary, channels, csv, multiclass, pbr, regression

SCORES = (
    ("binary_classification_accuracy", "binary_classification_accuracy"),
    ("precision", "precision"),
    ("recall", "recall"),
    ("multiclass_accuracy", "multiclass_accuracy"),
    ("dcg", "dcg"),
    ("macro_precision", "macro_precision"),
    ("macro_recall", "macro_recall"),
    ("binary_f_beta", r"binary_f_\S+"),
    ("macro_f_beta", r"macro_f_\S+"),
    ("multiclass_top_k_accuracy", r"multiclass_top_k_accuracy_\S+"),
)
LOSSES = ("mse", "absolute_loss")


def definitions() -> dict[str, str]:
    """The metric definitions of a real LinearLearner tuning job."""
    found = {}
    for channel in ("validation", "test"):
        for name, inner in SCORES:
            found[f"{channel}:{name}"] = rf"#quality_metric: host=\S+, {channel} {inner} <score>=(\S+)"
        for name in LOSSES:
            found[f"{channel}:{name}"] = rf"#quality_metric: host=\S+, {channel} {name} <loss>=(\S+)"
    for name in ("binary_classification_accuracy", "precision", "recall"):
        found[f"train:{name}"] = rf"#quality_metric: host=\S+, train {name} <score>=(\S+)"
    found["train:binary_f_beta"] = r"#quality_metric: host=\S+, train binary_f_\S+ <score>=(\S+)"
    for name in LOSSES:
        found[f"train:{name}"] = rf"#quality_metric: host=\S+, train {name} <loss>=(\S+)"
    return found | {
        "train:objective_loss": r"#quality_metric: host=\S+, epoch=\S+, train \S+_objective <loss>=(\S+)",
        "validation:objective_loss": r"#quality_metric: host=\S+, epoch=\S+, validation \S+_objective <loss>=(\S+)",
        "validation:objective_loss:final": r"#quality_metric: host=\S+, validation \S+_objective <loss>=(\S+)",
        "train:objective_loss:final": r"#quality_metric: host=\S+, train \S+_objective <loss>=(\S+)",
        "test:objective_loss": r"#quality_metric: host=\S+, test \S+_objective <loss>=(\S+)",
        "train:progress": r"#progress_metric: host=\S+, completed (\S+) %",
        "train:throughput": r"#throughput_metric: host=\S+, train throughput=(\S+) records/second",
        "ObjectiveMetric": r"#quality_metric: host=\S+, validation recall <score>=(\S+)",
    }


def scraped(output: str) -> dict[str, list[float]]:
    """What every definition finds, in the log's order."""
    return {
        name: [float(value) for value in re.findall(pattern, output)]
        for name, pattern in definitions().items()
    }


def matched(output: str) -> set[str]:
    return {name for name, values in scraped(output).items() if values}


def run(base: Path, given: dict[str, Any], data: Channels) -> Trained:
    done = train(base, "linear-learner", given, data)
    assert done.status == 0, done.errors
    return done


def final(done: Trained, channel: str, name: str) -> float:
    found = re.findall(rf"#quality_metric: host=\S+, {channel} {name} <\w+>=(\S+)", done.output)
    return float(found[-1])


@pytest.fixture(scope="module")
def binary_job(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    data = channels(train=binary(3000), validation=binary(800, 1), test=binary(800, 2))
    return run(
        tmp_path_factory.mktemp("binary") / "ml", {"predictor_type": "binary_classifier", "epochs": 5}, data
    )


@pytest.fixture(scope="module")
def multiclass_job(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    data = channels(train=multiclass(3000), validation=multiclass(800, seed=1), test=multiclass(800, seed=2))
    given = {"predictor_type": "multiclass_classifier", "num_classes": 4, "epochs": 5, "mini_batch_size": 200}
    return run(tmp_path_factory.mktemp("multiclass") / "ml", given, data)


@pytest.fixture(scope="module")
def regression_job(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    data = channels(train=regression(3000), validation=regression(800, 1), test=regression(800, 2))
    given = {"predictor_type": "regressor", "epochs": 15, "mini_batch_size": 100}
    return run(tmp_path_factory.mktemp("regression") / "ml", given, data)


COMMON = {
    "train:objective_loss", "validation:objective_loss", "validation:objective_loss:final", "test:objective_loss",
    "train:progress", "train:throughput",
}  # fmt: skip
OF_BINARY = {"binary_classification_accuracy", "binary_f_beta", "precision", "recall"}
OF_MULTICLASS = {
    "multiclass_accuracy", "multiclass_top_k_accuracy", "dcg", "macro_precision", "macro_recall", "macro_f_beta",
}  # fmt: skip


def of(names: set[str], *channel_names: str) -> set[str]:
    return {f"{channel}:{name}" for channel in channel_names for name in names}


def test_there_are_the_38_definitions_of_a_real_tuning_job() -> None:
    assert len(definitions()) == 38


def test_a_binary_jobs_log_has_every_metric(binary_job: Trained) -> None:
    assert matched(binary_job.output) == COMMON | of(OF_BINARY, "validation", "test") | {"ObjectiveMetric"}


def test_a_multiclass_jobs_log_has_every_metric(multiclass_job: Trained) -> None:
    assert matched(multiclass_job.output) == COMMON | of(OF_MULTICLASS, "validation", "test")


def test_a_regression_jobs_log_has_every_metric(regression_job: Trained) -> None:
    assert matched(regression_job.output) == COMMON | of(set(LOSSES), "validation", "test")


@pytest.mark.parametrize(
    ("given", "data", "names"),
    [
        ({"predictor_type": "binary_classifier"}, binary(), OF_BINARY),
        ({"predictor_type": "regressor"}, regression(), set(LOSSES)),
    ],
)
def test_without_validation_the_final_scores_are_those_of_the_training_data(
    tmp_path: Path, given: dict[str, Any], data: Any, names: set[str]
) -> None:
    done = run(tmp_path / "ml", {**given, "epochs": 3}, channels(train=data))
    expected = {"train:objective_loss", "train:objective_loss:final", "train:progress", "train:throughput"}
    assert matched(done.output) == expected | of(names, "train")
    assert "Test data is not provided." in done.output


def test_the_log_tells_the_epochs_as_the_container_does(binary_job: Trained) -> None:
    output = binary_job.output
    for pattern in (
        r"^Docker entrypoint called with argument\(s\): train$",
        r"^\[\d\d/\d\d/\d{4} \d\d:\d\d:\d\d INFO \d+\] Reading default configuration from ",
        r"Scaling model computed with parameters:\n    \{'stdev_weight': \n\[",
        r"#early_stopping_criteria_metric: host=algo-1, epoch=0, criteria=binary_classification_cross_entropy_objective, value=0",
        r"\] Epoch 0: Loss improved\. Updating best model",
        r"#progress_metric: host=algo-1, completed 20 % of epochs",
        r"#progress_metric: host=algo-1, completed 100 % of epochs",
        r"#validation_score \(algo-1\) : \('binary_f_1\.000', 0\.\d+\)",
        r"#quality_metric: host=algo-1, validation roc_auc_score <score>=0\.\d+",
        r"#test_score \(algo-1\) : \('roc_auc_score', 0\.\d+\)",
        r'Best model found for hyperparameters: \{"optimizer": "adam", "learning_rate": [\d.]+, "l1": [\de.-]+, "wd": [\de.-]+, '
        r'"lr_scheduler_step": \d+, "lr_scheduler_factor": [\d.]+, "lr_scheduler_minimum_lr": 1e-05\}',
        r'^#metrics .*"totaltime"',
    ):
        assert re.search(pattern, output, re.MULTILINE), pattern
    blocks = [json.loads(line[9:]) for line in output.splitlines() if line.startswith("#metrics ")]
    for channel in ("train", "validation"):
        name = f"{channel}_binary_classification_cross_entropy_objective"
        seen = [(b["Dimensions"]["model"], b["Dimensions"]["epoch"]) for b in blocks if name in b["Metrics"]]
        assert sorted(seen) == [(model, epoch) for model in range(32) for epoch in range(5)]
    assert scraped(output)["train:progress"] == [20, 40, 60, 80, 100]


def test_the_logs_scores_are_scikit_learns(binary_job: Trained) -> None:
    x, y = binary(800, 2)
    answers = artefact.load(binary_job.model_dir).answers(x)
    guess, score = answers["predicted_label"], answers["score"].astype(float)
    for name, value in (
        ("binary_classification_accuracy", reference.accuracy_score(y, guess)),
        ("precision", reference.precision_score(y, guess)),
        ("recall", reference.recall_score(y, guess)),
        (r"binary_f_1\.000", reference.f1_score(y, guess)),
        ("roc_auc_score", reference.roc_auc_score(y, score)),
        ("binary_balanced_accuracy", reference.balanced_accuracy_score(y, guess)),
        ("binary_log_loss", reference.log_loss(y, score)),
        ("binary_classification_cross_entropy_objective", reference.log_loss(y, score)),
    ):
        assert final(binary_job, "test", name) == pytest.approx(value, abs=2e-5), name


def test_a_multiclass_models_scores_are_scikit_learns(multiclass_job: Trained) -> None:
    x, y = multiclass(800, seed=2)
    answers = artefact.load(multiclass_job.model_dir).answers(x)
    guess, score = answers["predicted_label"], answers["score"].astype(float)
    assert np.allclose(score.sum(axis=1), 1, atol=1e-5)
    for name, value in (
        ("multiclass_accuracy", reference.accuracy_score(y, guess)),
        ("multiclass_top_k_accuracy_3", reference.top_k_accuracy_score(y, score, k=3)),
        ("macro_precision", reference.precision_score(y, guess, average="macro")),
        ("macro_recall", reference.recall_score(y, guess, average="macro")),
        (r"macro_f_1\.000", reference.f1_score(y, guess, average="macro")),
        ("dcg", reference.dcg_score(np.eye(4)[y.astype(int)], score)),
        ("multiclass_log_loss", reference.log_loss(y, score / score.sum(axis=1, keepdims=True))),
    ):
        assert final(multiclass_job, "test", name) == pytest.approx(value, abs=1e-4), name
    assert final(multiclass_job, "test", "multiclass_accuracy") > 0.9


def test_a_regression_finds_the_plane(regression_job: Trained) -> None:
    x, y = regression(800, 2)
    score = artefact.load(regression_job.model_dir).answers(x)["score"]
    mse = reference.mean_squared_error(y, score)
    assert final(regression_job, "test", "mse") == pytest.approx(mse, rel=1e-5)
    assert final(regression_job, "test", "rmse") == pytest.approx(mse**0.5, rel=1e-5)
    assert final(regression_job, "test", "absolute_loss") == pytest.approx(
        reference.mean_absolute_error(y, score), rel=1e-5
    )
    # The noise's variance is 0.25.
    assert mse < 0.28
    slopes = artefact.load(regression_job.model_dir).weights[:, 0] * [1, 100, 0.01, 1, 5]
    assert np.allclose(slopes, [3, -2, 1, 0, 4], atol=0.15)


def test_the_scores_rank_as_well_as_logistic_regression(tmp_path: Path) -> None:
    (x, y), (test_x, test_y) = binary(3000), binary(800, 2)
    given = {"predictor_type": "binary_classifier", "mini_batch_size": 100}
    done = run(tmp_path / "ml", given, channels(train=(x, y), test=(test_x, test_y)))
    scaler = StandardScaler().fit(x)
    peer = LogisticRegression().fit(scaler.transform(x), y)
    theirs = reference.roc_auc_score(test_y, peer.decision_function(scaler.transform(test_x)))
    assert final(done, "test", "roc_auc_score") > theirs - 0.002


def test_the_same_job_gives_the_same_model(tmp_path: Path) -> None:
    given = {"predictor_type": "binary_classifier", "epochs": 2, "positive_example_weight_mult": "auto"}
    first, second = (
        run(tmp_path / name, given, channels(train=binary())).model_dir / "model_algo-1"
        for name in ("a", "b")
    )
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("kind", ["csv", "two files", "sparse"])
def test_every_content_type_gives_the_same_model(tmp_path: Path, kind: str) -> None:
    import scipy.sparse as sp

    x, y = binary(600)
    given = {"predictor_type": "binary_classifier", "epochs": 2, "num_models": 2}
    model = artefact.load(run(tmp_path / "pbr", given, channels(train=(x, y))).model_dir)
    files = {
        "csv": (CSV, {"data.csv": csv(x, y)}),
        "two files": (RECORDIO, {"a.pbr": pbr(x[:250], y[:250]), "b.pbr": pbr(x[250:], y[250:])}),
    }
    if kind == "sparse":
        matrix = sp.csr_matrix(x)
        rows = records.Sparse(
            matrix.data, matrix.indices.astype("i8"), np.diff(matrix.indptr).astype("i8"), 5
        )
        data: Channels = {"train": (RECORDIO, {"s.pbr": b"".join(records.sparse(rows, y))})}
    else:
        data = {"train": files[kind]}
    other = artefact.load(run(tmp_path / "other", given, data).model_dir)
    assert np.allclose(
        raw_scores(x, model.weights, model.bias), raw_scores(x, other.weights, other.bias), atol=0.02
    )


def test_the_artefact_is_the_containers_zip(binary_job: Trained, multiclass_job: Trained) -> None:
    for job, outputs, layer in (
        (binary_job, 1, "LogisticRegressionOutput"),
        (multiclass_job, 4, "SoftmaxOutput"),
    ):
        assert [path.name for path in job.model_dir.iterdir()] == ["model_algo-1"]
        with zipfile.ZipFile(job.model_dir / "model_algo-1") as archive:
            assert sorted(archive.namelist()) == [
                "additional-params.json", "manifest.json", "mx-mod-0000.params", "mx-mod-symbol.json",
            ]  # fmt: skip
            parameters = ndarray.decode(archive.read("mx-mod-0000.params"))
            graph = json.loads(archive.read("mx-mod-symbol.json"))
        assert isinstance(parameters, dict)
        shapes = {name: (array.shape, str(array.dtype)) for name, array in parameters.items()}
        assert shapes == {
            "arg:fc0_weight": ((outputs, 5), "float32"),
            "arg:fc0_bias": ((outputs,), "float32"),
        }
        assert [node["name"] for node in graph["nodes"]] == [
            "data", "fc0_weight", "fc0_bias", "fc0", "out_label", "out",
        ]  # fmt: skip
        assert graph["nodes"][-1]["op"] == layer


def test_the_weights_are_for_raw_features(binary_job: Trained) -> None:
    with zipfile.ZipFile(binary_job.model_dir / "model_algo-1") as archive:
        parameters = ndarray.decode(archive.read("mx-mod-0000.params"))
    assert isinstance(parameters, dict)
    x, _ = binary(50, 5)
    by_hand = 1 / (
        1 + np.exp(-(x @ parameters["arg:fc0_weight"].T + parameters["arg:fc0_bias"])[:, 0].astype(float))
    )
    answers = artefact.load(binary_job.model_dir).answers(x)
    assert np.allclose(by_hand, answers["score"], atol=1e-4)


@pytest.mark.parametrize("target", [0.6, 0.95])
@pytest.mark.parametrize("criterion", ["precision_at_target_recall", "recall_at_target_precision"])
@pytest.mark.parametrize("weight", ["1.0", "balanced", "auto"])
def test_a_target_is_met_on_validation(tmp_path: Path, criterion: str, target: float, weight: str) -> None:
    given = {
        "predictor_type": "binary_classifier",
        "epochs": 4,
        "binary_classifier_model_selection_criteria": criterion,
        "target_recall": target,
        "target_precision": target,
        "positive_example_weight_mult": weight,
    }
    data = channels(train=binary(1000, positive=0.1), validation=binary(800, 1, positive=0.1))
    done = run(tmp_path / "ml", given, data)
    assert final(done, "validation", "recall" if "target_recall" in criterion else "precision") >= target
    assert "No threshold reaches" not in done.output
    assert f"criteria=sampled_{criterion}" in done.output


def test_a_target_out_of_reach_is_said_and_the_closest_taken(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(1000, 3)).astype("f4"), (random.random(1000) < 0.2).astype("f4")
    given = {
        "predictor_type": "binary_classifier",
        "binary_classifier_model_selection_criteria": "recall_at_target_precision",
        "target_precision": 1.0,
        "epochs": 2,
    }
    # The highest rows are negative whatever the model: no threshold is without false positives.
    worst = np.array([[50.0, 50, 50], [-50, 50, 50], [50, -50, 50], [50, 50, -50]], "f4")
    worst = np.concatenate([worst, -worst])
    x, y = np.concatenate([x, worst]), np.concatenate([y, np.zeros(8, "f4")])
    done = run(tmp_path / "ml", given, channels(train=(x, y), validation=(x, y)))
    assert (
        "No threshold reaches target_precision 1 on the validation data. The closest is taken: threshold"
        in done.output
    )
    said = re.search(r"with precision ([\d.]+) and recall ([\d.]+)\.", done.output)
    assert said is not None
    assert final(done, "validation", "precision") == pytest.approx(float(said[1]), abs=1e-4)
    assert 0 < float(said[1]) < 1


@pytest.mark.parametrize(
    "loss", ["absolute_loss", "huber_loss", "eps_insensitive_absolute_loss", "eps_insensitive_squared_loss"]
)
def test_every_regression_loss_finds_the_plane(tmp_path: Path, loss: str) -> None:
    given = {"predictor_type": "regressor", "loss": loss, "mini_batch_size": 100, "epochs": 10}
    done = run(tmp_path / "ml", given, channels(train=regression(2000), test=regression(500, 3)))
    assert final(done, "test", "rmse") < 0.6
    assert re.search(
        rf"train {loss}\S*_objective|train {loss.removesuffix('_loss')}\S*_objective", done.output
    )


def test_quantile_loss_finds_the_quantile(tmp_path: Path) -> None:
    given = {"predictor_type": "regressor", "loss": "quantile_loss", "quantile": 0.9, "mini_batch_size": 100}
    done = run(tmp_path / "ml", given, channels(train=regression(3000)))
    x, y = regression(2000, 4)
    below = (y <= artefact.load(done.model_dir).answers(x)["score"]).mean()
    assert 0.86 < below < 0.94


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
@pytest.mark.parametrize("loss", ["logistic", "hinge_loss"])
def test_every_optimizer_separates_the_classes(tmp_path: Path, optimizer: str, loss: str) -> None:
    given = {
        "predictor_type": "binary_classifier",
        "optimizer": optimizer,
        "loss": loss,
        "mini_batch_size": 100,
    }
    done = run(
        tmp_path / "ml", given, channels(train=binary(1500, noise=0.1), test=binary(500, 7, noise=0.1))
    )
    assert final(done, "test", "roc_auc_score") > 0.99
    assert f'{{"optimizer": "{optimizer}"' in done.output


def test_a_strong_l1_penalty_leaves_only_what_matters(tmp_path: Path) -> None:
    given = {"predictor_type": "regressor", "l1": 0.05, "num_models": 1, "mini_batch_size": 100, "wd": 0}
    model = artefact.load(run(tmp_path / "ml", given, channels(train=regression(3000))).model_dir)
    assert model.weights[3, 0] == 0
    assert (model.weights[[0, 1, 4], 0] != 0).all()


@pytest.mark.parametrize("normalized", ["true", "false"])
def test_without_normalisation_the_model_still_answers_for_raw_features(
    tmp_path: Path, normalized: str
) -> None:
    x, y = binary(1500, noise=0.1)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    given = {"predictor_type": "binary_classifier", "normalize_data": normalized, "mini_batch_size": 100}
    done = run(tmp_path / "ml", given, channels(train=(x, y)))
    assert final(done, "train", "roc_auc_score") > 0.99


def test_without_bias_nor_centring_the_line_goes_through_the_origin(tmp_path: Path) -> None:
    given = {"predictor_type": "binary_classifier", "use_bias": "false", "epochs": 2}
    model = artefact.load(run(tmp_path / "ml", given, channels(train=binary())).model_dir)
    assert model.bias.tolist() == [0.0]


def test_balanced_classes_help_the_rare_one(tmp_path: Path) -> None:
    x, y = multiclass(2000, 3)
    keep = (y != 2) | (np.arange(len(y)) % 20 == 0)
    noisy = (x + np.random.default_rng(0).normal(0, 2.5, x.shape)).astype("f4")
    recall = {}
    for balanced in ("false", "true"):
        given = {
            "predictor_type": "multiclass_classifier",
            "num_classes": 3,
            "balance_multiclass_weights": balanced,
            "mini_batch_size": 100,
        }
        done = run(tmp_path / balanced, given, channels(train=(noisy[keep], y[keep])))
        guess = artefact.load(done.model_dir).answers(noisy)["predicted_label"]
        recall[balanced] = (guess[y == 2] == 2).mean()
    assert recall["true"] > recall["false"] + 0.1


def test_a_mini_batch_larger_than_the_data_is_one_step(tmp_path: Path) -> None:
    given = {"predictor_type": "binary_classifier", "mini_batch_size": 5000, "epochs": 2}
    done = run(tmp_path / "ml", given, channels(train=binary(300)))
    assert "mini_batch_size 5000 is larger than the 300 rows of the train channel" in done.output
    assert '"Total Batches Seen": {"sum": 2.0' in done.output


def test_labels_in_order_do_not_hurt(tmp_path: Path) -> None:
    x, y = binary(3000)
    order = np.argsort(y, kind="stable")
    given = {"predictor_type": "binary_classifier", "mini_batch_size": 100, "epochs": 5}
    done = run(tmp_path / "ml", given, channels(train=(x[order], y[order]), test=binary(500, 3)))
    assert final(done, "test", "roc_auc_score") > 0.93


def test_tuning_trains_one_model(tmp_path: Path) -> None:
    given = {
        "predictor_type": "binary_classifier",
        "learning_rate": 0.05,
        "_tuning_objective_metric": "validation:recall",
        "epochs": 2,
    }
    done = run(tmp_path / "ml", given, channels(train=binary(), validation=binary(300, 1)))
    assert {int(n) for n in re.findall(r'"model": (\d+)', done.output)} == {0}
    assert (
        'hyperparameters: {"optimizer": "adam", "learning_rate": 0.05, "l1": 0.0, "wd": 0.0001, '
        '"lr_scheduler_step": 10, "lr_scheduler_factor": 0.98, "lr_scheduler_minimum_lr": 1e-05}'
    ) in done.output


def test_early_stopping_ends_the_epochs(tmp_path: Path) -> None:
    given = {
        "predictor_type": "binary_classifier",
        "epochs": 60,
        "early_stopping_patience": 2,
        "early_stopping_tolerance": 0.2,
        "mini_batch_size": 100,
    }
    done = run(tmp_path / "ml", given, channels(train=binary(), validation=binary(300, 1)))
    assert "Early stop condition met. Stopping training." in done.output
    assert len(scraped(done.output)["train:objective_loss"]) < 60


def test_some_diverging_models_are_left_out_and_all_of_them_are_an_error(tmp_path: Path) -> None:
    base = {"predictor_type": "regressor", "optimizer": "sgd", "mini_batch_size": 50, "epochs": 4}
    done = train(
        tmp_path / "all", "linear-learner", {**base, "learning_rate": 1e6}, channels(train=regression())
    )
    assert done.status == 1
    assert done.failure.startswith("AlgorithmError: The loss is not finite in epoch")
    assert "Use a smaller learning_rate (it was 1e+06)" in done.failure
    x, y = regression()
    some = run(tmp_path / "some", {**base, "learning_rate": 1.5}, channels(train=(x, y)))
    assert "is not finite any more; training goes on without it." in some.output
    assert final(some, "train", "rmse") < 5


X, Y = binary(60)


@pytest.mark.parametrize(
    ("given", "data", "texts"),
    [
        ({}, {"train": (CSV, {"d.csv": csv(X, Y + 1)})}, ["d.csv, row 1 of channel 'train'", "labels must be 0 or 1"]),
        ({}, {"train": (CSV, {"d.csv": csv(X, np.where(np.arange(60) == 41, 0.5, Y))})}, ["row 42", "label 0.5"]),
        ({}, {"train": (CSV, {"d.csv": csv(X, Y * 0)})}, ["All 60 rows of channel 'train' have the label 0"]),
        ({}, {"train": (CSV, {"d.csv": csv(X, Y).replace(b"\n0,", b"\nnan,", 1)})}, ["d.csv, row"]),
        ({}, {"train": (CSV, {"d.csv": csv(X, Y) + b"1,2,3\n"})}, ["d.csv, row 61"]),
        ({}, {"train": (CSV, {"d.csv": csv(X, Y).replace(b",", b",x", 1)})}, ["d.csv, row 1"]),
        ({}, {"train": (CSV, {"d.csv": b""})}, ["No data in channel 'train'"]),
        ({}, {"train": ("text/csv;label_size=0", {"d.csv": csv(X, Y)})}, ["label"]),
        ({}, {"train": (RECORDIO, {"d.pbr": pbr(X)})}, ["has no labels", "d.pbr, record 1"]),
        ({}, {"train": (RECORDIO, {"d.pbr": pbr(X.astype("f8"), Y)})}, ["only Float32 tensors are supported", "d.pbr"]),
        ({}, {"train": (RECORDIO, {"d.pbr": pbr(X, Y)[:-9]})}, ["d.pbr"]),
        ({"feature_dim": 6}, {"train": (RECORDIO, {"d.pbr": pbr(X, Y)})}, ["cannot copy sequence with size 5 to array axis with dimension 6"]),
        ({}, {"train": (RECORDIO, {"d.pbr": pbr(X, Y)}), "validation": (RECORDIO, {"v.pbr": pbr(X[:, :4], Y)})}, ["v.pbr", "channel 'validation' has 4 features"]),
        ({}, {"train": ("text/csv;label_size=2", {"d.csv": csv(X, Y)})}, ["has 2 label columns"]),
        ({}, {"validation": (RECORDIO, {"d.pbr": pbr(X, Y)})}, ["Missing required channel 'train'"]),
        ({"predictor_type": "multiclass_classifier", "num_classes": 3}, {"train": (CSV, {"d.csv": csv(X, Y + 2)})}, ["labels must be whole numbers from 0 to 2", "row"]),
        ({"predictor_type": "multiclass_classifier", "num_classes": 3}, {"train": (CSV, {"d.csv": csv(X, Y * 0)})}, ["needs rows of several classes"]),
        ({"predictor_type": "regressor"}, {"train": (CSV, {"d.csv": csv(X, Y).replace(b"\n1,", b"\ninf,", 1)})}, ["d.csv, row"]),
        ({"epochs": "many"}, {"train": (RECORDIO, {"d.pbr": pbr(X, Y)})}, ["'many' is not valid under any of the given schemas"]),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named_with_file_and_row(
    tmp_path: Path, given: dict[str, Any], data: Channels, texts: list[str]
) -> None:
    done = train(tmp_path / "ml", "linear-learner", {"predictor_type": "binary_classifier", **given}, data)
    assert done.status == 2
    assert done.failure.startswith("ClientError: ")
    for text in texts:
        assert text in done.failure
    assert "Traceback" not in done.errors


def test_a_models_graph_says_what_the_additional_parameters_do_not(tmp_path: Path) -> None:
    model = Model("multiclass_classifier", "softmax_loss", np.ones((3, 4)), np.zeros(4), 0.0)
    path = artefact.save(model, tmp_path)
    kept = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(kept, "w") as fewer:
        for name in archive.namelist():
            if name.startswith("mx-mod"):
                fewer.writestr(name, archive.read(name))
    path.write_bytes(kept.getvalue())
    found = artefact.load(tmp_path)
    assert (found.predictor_type, found.loss, found.feature_dim) == (
        "multiclass_classifier",
        "softmax_loss",
        3,
    )


def test_a_stopped_job_leaves_the_best_model_so_far(tmp_path: Path) -> None:
    base = tmp_path / "ml"
    given = {"predictor_type": "binary_classifier", "epochs": 100_000, "early_stopping_patience": 100_000}
    prepare(base, given, channels(train=binary(300)))
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "algorithms.builtin.train", "linear-learner", "1"],
        env={**os.environ, "SAGEMAKER_BASE_DIR": str(base), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while not (base / "model" / "model_algo-1").exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(30)
    assert status == 0
    assert artefact.load(base / "model").feature_dim == 5


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="needs /proc to see a process's peak memory"
)
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    peaks = []
    for rows in (20_000, 400_000):
        random = np.random.default_rng(0)
        x = random.normal(size=(rows, 20)).astype("f4")
        prepare(
            tmp_path / str(rows),
            {"predictor_type": "binary_classifier", "epochs": 1, "num_models": 4},
            channels(train=(x, (x[:, 0] > 0).astype("f4"))),
        )
        # The peak of this program image alone: what getrusage says includes the one that started it.
        program = (
            "import sys; from pathlib import Path; from algorithms.builtin.train import main; "
            f"status = main('linear-learner', '1', Path({str(tmp_path / str(rows))!r})); "
            "print(Path('/proc/self/status').read_text(), file=sys.stderr); sys.exit(status)"
        )
        done = subprocess.run(
            [sys.executable, "-P", "-c", program], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        found = re.search(r"VmHWM:\s+(\d+) kB", done.stderr)
        assert found is not None
        peaks.append(int(found[1]) / 1000)
    # The rows alone have 34 MB.
    assert peaks[1] < peaks[0] + 15
