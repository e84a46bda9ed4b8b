"""``mlconsole jobs start`` on a real engine: built-in algorithms from files of this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import numpy
import pytest

from console.__main__ import main
from console.cli.jobs_start import channels
from workflows.builtin import draft, images
from workflows.problem import Problem

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("on_engine")]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Three groups on a plane; the first column is which."""
    random = numpy.random.default_rng(0)
    groups = numpy.arange(300) % 3
    points = numpy.array([[0, 0], [8, 0], [0, 8]])[groups] + random.normal(size=(300, 2))
    path = tmp_path / "rows.csv"
    numpy.savetxt(path, numpy.column_stack([groups == 1, points]), delimiter=",", fmt="%.6g")
    return path


def started(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> Any:
    code = main(["jobs", "start", *arguments, "--yes", "--wait", "--json"])
    out, err = capsys.readouterr()
    assert code == status, out + err
    return json.loads(out)


@pytest.mark.parametrize("interface", ["low", "high"])
def test_xgboost_trains_through_both_interfaces(
    interface: str, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = started(
        capsys, "xgb", "-i", f"train={table}", "-i", f"validation={table}", "-s", "objective=binary:logistic",
        "-s", "num_round=5", "--version", "1.7-1", "--interface", interface, "--name", f"xgb-{interface}",
    )  # fmt: skip
    assert found["status"] == "Completed"
    assert found["training_job"].startswith(f"xgb-{interface}")
    assert found["model"].endswith("/output/model.tar.gz")
    assert 0 < found["metrics"]["validation:logloss"] < 0.3


def test_what_the_file_tells_need_not_be_said(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = started(
        capsys, "kmeans", "-i", f"train={table}", "-i", f"test={table}", "-s", "k=3", "--name", "groups"
    )
    assert found["status"] == "Completed"
    assert found["metrics"]["test:msd"] < 3
    assert main(["jobs", "show", "groups", "--json"]) == 0
    job = json.loads(capsys.readouterr().out)
    assert job["HyperParameters"] == {"k": "3", "feature_dim": "3"}
    assert {c["ContentType"] for c in job["InputDataConfig"]} == {"text/csv;label_size=0"}


def test_a_folder_is_uploaded_with_its_folders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], table: Path
) -> None:
    inner = tmp_path / "data" / "more"
    inner.mkdir(parents=True)
    (inner / "b.csv").write_bytes(table.read_bytes())
    (tmp_path / "data" / "a.csv").write_bytes(table.read_bytes())
    code = main(
        ["jobs", "start", "kmeans", "-i", f"train={tmp_path / 'data'}", "-s", "k=2", "-s", "feature_dim=3", "--name", "folder", "-y", "-w"]
    )  # fmt: skip
    out, err = capsys.readouterr()
    assert code == 0, out + err
    assert "processed a total of 600 examples" in out
    assert "folder: Completed" in err


def test_a_failed_job_is_told_with_its_reason(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = started(capsys, "pca", "-i", f"train={table}", "--name", "without", status=1)
    assert found["status"] == "Failed"
    assert "'num_components' is a required property" in found["failure"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["forest", "-i", "train=s3://b/k"], "There is no built-in algorithm 'forest' here."),
        (["pca", "-i", "rows.csv"], "names no channel"),
        (["pca", "-i", "train=missing.csv"], "neither an S3 URI nor a file"),
        (["xgboost", "-i", "train=s3://b/k", "--version", "9"], "xgboost has no version 9."),
        (["pca", "-i", "train=s3://b/k", "-s", "k"], "is not an assignment"),
    ],
)
def test_mistakes_are_told_before_anything_is_made(
    arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["jobs", "start", *arguments, "--yes"]) in (1, 2)
    assert why in capsys.readouterr().err


def test_a_channel_comes_once() -> None:
    with pytest.raises(click.BadParameter, match="comes twice"):
        channels(("train=s3://a/b", "train=s3://a/c"))


@pytest.mark.parametrize(
    ("algorithm", "version", "region"),
    [("kmeans", "", "cn-north-1"), ("xgboost", "1.7-1", "us-west-2"), ("xgboost", "latest", "eu-west-1"), ("forecasting-deepar", "", "us-east-1")],
)  # fmt: skip
def test_images_are_those_of_the_sdk(algorithm: str, version: str, region: str) -> None:
    from sagemaker.core import image_uris

    told = image_uris.retrieve(algorithm, region, version=version or images.ALGORITHMS[algorithm])
    assert images.uri(algorithm, region, version) == told


def test_a_region_without_images_is_told() -> None:
    with pytest.raises(Problem, match="mars-1"):
        images.uri("pca", "mars-1")


@pytest.mark.parametrize(
    ("algorithm", "place", "expected"),
    [
        ("pca", "x.csv", "text/csv;label_size=0"),
        ("linear-learner", "x.csv", "text/csv"),
        ("xgboost", "a/x.libsvm", "text/libsvm"),
        ("kmeans", "s3://b/matrix_0.pbr", "application/x-recordio-protobuf"),
        ("forecasting-deepar", "x.json", ""),
        ("xgboost", "s3://b/folder/", "text/csv"),
    ],
)
def test_content_types_follow_names(algorithm: str, place: str, expected: str) -> None:
    assert draft.content_type(algorithm, place) == expected
