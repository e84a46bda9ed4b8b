"""The lessons' XGBoost on film reviews, trained by a job on the engine, behind an endpoint whose model says its vocabulary.

The reviews are real ones where ``MLCONSOLE_DATA_DIR`` leads to them, else the built-in sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from algorithms.reviews import bag
from algorithms.reviews.bag import Vocabulary
from benchmarks.endpoints import XGBOOST, deploy, train
from benchmarks.peers import Peer

LIBSVM = "text/libsvm"
ASKED = 64
HYPERPARAMETERS = {
    "max_depth": "5", "eta": "0.2", "gamma": "4", "min_child_weight": "6", "subsample": "0.8", "num_round": "100",
    "objective": "binary:logistic", "eval_metric": "error", "seed": "1",
}  # fmt: skip


@dataclass(frozen=True)
class Hosted:
    """What serves: the vocabulary, test reviews to ask about, their verdicts, what the data are."""

    vocabulary: Vocabulary
    texts: list[str]
    labels: list[int]
    data: str


def host(peer: Peer, name: str) -> Hosted:
    """Train on the publisher's training reviews, and deploy; there is a bucket ``bench``."""
    from workflows.data.loading import table
    from workflows.data.place import locate
    from workflows.webapp import serving

    where = locate("imdb")
    frame = table(where)
    sets: dict[str, Any] = {part: frame[frame["split"] == part] for part in ("train", "test")}
    vocabulary = bag.fit(sets["train"]["review"])
    lines = []
    for text, label in zip(sets["train"]["review"], sets["train"]["label"] == "pos", strict=True):
        counts = vocabulary.count(text)
        if not lines:
            counts.setdefault(
                len(vocabulary) - 1, 0
            )  # XGBoost counts columns by the highest one that it sees
        lines.append(bag.libsvm(counts, int(label)))
    artefact = train(peer, name, "\n".join(lines).encode(), LIBSVM, HYPERPARAMETERS)
    deploy(peer, name, XGBOOST, artefact)
    key = f"{name}/vocabulary.json"
    peer.client("s3").put_object(Bucket="bench", Key=key, Body=vocabulary.document().encode())
    _tag(peer, name, serving.tags(vocabulary, f"s3://bench/{key}"))
    asked = sets["test"].head(ASKED)
    labels = [int(one == "pos") for one in asked["label"]]
    return Hosted(vocabulary, list(asked["review"]), labels, "synthetic" if where.synthetic else "real")


def _tag(peer: Peer, name: str, told: dict[str, str]) -> None:
    sagemaker = peer.client("sagemaker")
    sagemaker.add_tags(
        ResourceArn=sagemaker.describe_model(ModelName=name)["ModelArn"],
        Tags=[{"Key": key, "Value": value} for key, value in told.items()],
    )
