"""The first draft of a transform job: from a model, or from a training job whose model is made when it is needed."""

from __future__ import annotations

from dataclasses import dataclass

from workflows.transforms.request import TransformRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformDraft:
    """A transform job that lacks only its input; where ``training_job`` is set, the model is made from it first."""

    request: TransformRequest
    training_job: str = ""
    notes: tuple[str, ...] = ()
