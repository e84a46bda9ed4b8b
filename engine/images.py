"""An image URI and the runtime on this machine that stands for it."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from engine import builtin, frameworks

Kind = Literal["training", "inference", "both"]

_TRAIN = (sys.executable, "-P", "-m", "algorithms.container.train")
_SERVE = (sys.executable, "-P", "-m", "algorithms.container.serve")
_BUILTIN_TRAIN = (sys.executable, "-P", "-m", "algorithms.builtin.train")
_BUILTIN_SERVE = (sys.executable, "-P", "-m", "algorithms.builtin.serve")


class UnknownImage(Exception):
    """No runtime stands for that image; the message names the image and the repositories that are known."""


class _Entry(NamedTuple):
    framework: str
    kind: Kind
    script: bool = True
    """Whether it runs the user's scripts."""


# Repositories by their last path component: account, region and registry differ per partition and do not matter here.
_REPOSITORIES: dict[str, _Entry] = {
    "pytorch-training": _Entry("pytorch", "training"),
    "pytorch-inference": _Entry("pytorch", "inference"),
    "sagemaker-pytorch": _Entry("pytorch", "both"),
    "sagemaker-scikit-learn": _Entry("scikit-learn", "both"),
    "sagemaker-xgboost": _Entry("xgboost", "both"),
    "xgboost": _Entry("xgboost", "both", script=False),
    "pca": _Entry("pca", "both", script=False),
    "kmeans": _Entry("kmeans", "both", script=False),
    "linear-learner": _Entry("linear-learner", "both", script=False),
    "forecasting-deepar": _Entry("forecasting-deepar", "both", script=False),
}

_IMAGE = re.compile(
    r"(?:(?P<registry>[^/\s]+)/)?(?P<path>[^\s:@]+)(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_VERSION = re.compile(r"\d+(?:\.\d+)*")


@dataclass(frozen=True, slots=True)
class Runtime:
    """What runs in place of an image.

    ``version`` is the framework's version as the tag states it ("" without one). ``builtin`` is the name of the built-in
    algorithm in the image, "" in one that only runs scripts; ``script`` whether it runs scripts. ``train`` and ``serve`` are
    the commands that stand for the container's ``train`` and ``serve``, None where the image has no such side; of an image
    that is both, those of the built-in algorithm (`training` and `serving` choose).
    """

    image: str
    repository: str
    tag: str
    framework: str
    version: str
    kind: Kind
    train: tuple[str, ...] | None
    serve: tuple[str, ...] | None
    builtin: str = ""
    script: bool = True

    def training(
        self, hyperparameters: Mapping[str, str], environment: Mapping[str, str]
    ) -> tuple[str, ...] | None:
        """The command of a training job: XGBoost's image runs the script that ``sagemaker_program`` names, else its algorithm."""
        named = hyperparameters.get("sagemaker_program") or environment.get("SAGEMAKER_PROGRAM")
        if self.builtin and self.script and named:
            return _told(_TRAIN, self.framework, self.version)
        return self.train

    def serving(self, environment: Mapping[str, str]) -> tuple[str, ...] | None:
        """The command of a model's container: XGBoost's image runs the script that ``SAGEMAKER_PROGRAM`` names, else its algorithm."""
        if self.builtin and self.script and environment.get("SAGEMAKER_PROGRAM"):
            return _told(_SERVE, self.framework, self.version)
        return self.serve


def _told(command: tuple[str, ...], framework: str, version: str) -> tuple[str, ...]:
    """A command with what its container says first: that the framework's version is another one, where it is."""
    said = frameworks.note(framework, version)
    return (*command, said) if said else command


def repositories() -> list[str]:
    """The names of all repositories that have a runtime, sorted."""
    return sorted(_REPOSITORIES)


def resolve(image: str) -> Runtime:
    """The runtime for an image URI, whatever its account, region, registry prefix, tag or digest.

    Raises:
        UnknownImage: Not an image URI, or no runtime stands for its repository.
    """
    found = _IMAGE.fullmatch(image.strip())
    if found is None:
        raise UnknownImage(f"'{image}' is not an image URI of the form [registry/]repository[:tag][@digest].")
    name = found["path"].rpartition("/")[2]
    entry = _REPOSITORIES.get(name)
    if entry is None:
        raise UnknownImage(
            f"Unsupported image '{image}': no runtime on this machine stands for repository '{name}'. "
            f"Known repositories: {', '.join(repositories())}."
        )
    # Without a tag it is the repository's latest; only that of XGBoost's first container has one.
    tag = found["tag"] or ("latest" if name == "xgboost" and not found["digest"] else "")
    version = _VERSION.match(tag)
    algorithm = builtin.ALIASES.get(name, name) if builtin.is_builtin(name) else ""
    train = _told(_TRAIN, entry.framework, version[0] if version else "")
    serve = _told(_SERVE, entry.framework, version[0] if version else "")
    if algorithm:
        train, serve = (*_BUILTIN_TRAIN, algorithm, tag), (*_BUILTIN_SERVE, algorithm, tag)
    return Runtime(
        image=image,
        repository=name,
        tag=tag,
        framework=entry.framework,
        version=version[0] if version else "",
        kind=entry.kind,
        train=train if entry.kind != "inference" else None,
        serve=serve if entry.kind != "training" else None,
        builtin=algorithm,
        script=entry.script,
    )
