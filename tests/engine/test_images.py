"""Image URIs and the runtimes behind them."""

from __future__ import annotations

import pytest

from engine.images import UnknownImage, resolve

DIGEST = "sha256:" + "0a" * 32


@pytest.mark.parametrize(
    ("image", "framework", "version", "kind"),
    [
        (
            "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.3.0-cpu-py311-ubuntu20.04-sagemaker",
            "pytorch",
            "2.3.0",
            "training",
        ),
        (
            "763104351884.dkr.ecr.cn-north-1.amazonaws.com.cn/pytorch-inference:2.3-cpu-py311",
            "pytorch",
            "2.3",
            "inference",
        ),
        (
            f"763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-training@{DIGEST}",
            "pytorch",
            "",
            "training",
        ),
        (f"localhost:5000/team/pytorch-training:2.1@{DIGEST}", "pytorch", "2.1", "training"),
        (
            "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
            "scikit-learn",
            "1.2",
            "both",
        ),
        ("sagemaker-scikit-learn", "scikit-learn", "", "both"),
        ("pytorch-training:latest", "pytorch", "", "training"),
    ],
)
def test_any_registry_tag_and_digest_names_its_runtime(
    image: str, framework: str, version: str, kind: str
) -> None:
    runtime = resolve(image)
    assert (runtime.framework, runtime.version, runtime.kind) == (framework, version, kind)
    assert (runtime.train is not None) == (kind in ("training", "both"))
    assert (runtime.serve is not None) == (kind in ("inference", "both"))


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("433757028032.dkr.ecr.us-west-2.amazonaws.com/xgboost", "latest"),
        ("433757028032.dkr.ecr.us-west-2.amazonaws.com/xgboost:1", "1"),
        ("246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost", ""),
        ("246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:1.7-1", "1.7-1"),
    ],
)
def test_a_repository_without_tag_is_its_latest(image: str, tag: str) -> None:
    found = resolve(image)
    assert found.tag == tag
    assert found.train is not None and found.train[-2:] == ("xgboost", tag)


@pytest.mark.parametrize(
    "image", ["1.dkr.ecr.us-east-1.amazonaws.com/tensorflow-training:2", "pytorch-training/other:1"]
)
def test_an_unknown_repository_is_named_with_the_known_ones(image: str) -> None:
    with pytest.raises(UnknownImage) as caught:
        resolve(image)
    assert image in str(caught.value)
    assert "pytorch-training" in str(caught.value).partition("Known repositories")[2]


@pytest.mark.parametrize("image", ["", "two words", "repo:tag:tag", "repo@sha256:short"])
def test_what_is_no_image_uri_is_called_so(image: str) -> None:
    with pytest.raises(UnknownImage, match="not an image URI"):
        resolve(image)
