"""What all series of a model have in common: how many categories with how many values, how many dynamic features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from algorithms.builtin.deepar.dataset import Dataset
from algorithms.builtin.deepar.hyperparameters import IGNORE, Hyperparameters
from algorithms.builtin.deepar.series import Series, Unusable
from algorithms.builtin.failures import ClientError
from algorithms.builtin.hyperparameters import AUTO


@dataclass(frozen=True, slots=True)
class Shape:
    """The parts of a series that a model uses.

    Attributes:
        cardinality: The number of values of each category; empty when none are used.
        features: The number of dynamic features; 0 when none are used.
        ignore_cat: Series may have categories all the same, which are not looked at.
        ignore_features: The same of dynamic features.
    """

    cardinality: tuple[int, ...]
    features: int
    ignore_cat: bool = False
    ignore_features: bool = False

    def fit(self, series: Series) -> Series:
        """The series with what the model uses and nothing else.

        Raises:
            Unusable: Something is missing, there is more than the model was trained with, or a category is out of range.
        """
        cat, dynamic = series.cat, series.dynamic
        if not self.cardinality:
            if cat is not None and not self.ignore_cat:
                raise Unusable(
                    "has the key 'cat', but the model was trained without categories; leave 'cat' out"
                )
            cat = None
        else:
            if cat is None:
                raise Unusable(
                    f"the key 'cat' is missing; the model was trained with {_some(len(self.cardinality), 'category', 'categories')}"
                )
            if len(cat) != len(self.cardinality):
                raise Unusable(
                    f"'cat' has {_some(len(cat), 'value', 'values')}, but the model has {len(self.cardinality)} (cardinality {list(self.cardinality)})"
                )
            for place, (value, size) in enumerate(zip(cat, self.cardinality, strict=True)):
                if value >= size:
                    raise Unusable(
                        f"'cat' has the value {value} at position {place}, but this category's values are 0 to {size - 1} (cardinality {size})"
                    )
        if not self.features:
            if dynamic is not None and not self.ignore_features:
                raise Unusable(
                    "has the key 'dynamic_feat', but the model was trained without dynamic features; leave 'dynamic_feat' out"
                )
            dynamic = None
        elif dynamic is None:
            raise Unusable(
                f"the key 'dynamic_feat' is missing; the model was trained with {_some(self.features, 'feature', 'features')}"
            )
        elif len(dynamic) != self.features:
            raise Unusable(
                f"'dynamic_feat' has {_some(len(dynamic), 'list', 'lists')}, but the model was trained with {self.features}"
            )
        return Series(series.origin, series.target, cat, dynamic)


def resolve(given: Hyperparameters, train: Dataset) -> tuple[Shape, list[str]]:
    """The shape that hyperparameters and training data make, and what the container says about it.

    Raises:
        ClientError: The data do not have what the hyperparameters say.
    """
    said: list[str] = []
    has_cat = [series.cat is not None for series in train.series]
    has_features = [series.dynamic is not None for series in train.series]
    cardinality: tuple[int, ...] = ()
    features = 0
    if given.cardinality == AUTO:
        if _all(has_cat, train, "cat"):
            cardinality = _infer(train)
            said.append(_found("cardinality", "cat", train.first_file))
            said.append(f"[cardinality=auto] Inferred value of cardinality from dataset: {list(cardinality)}")
        else:
            said.append(_absent("cardinality", "cat", train.first_file))
    elif isinstance(given.cardinality, tuple):
        cardinality = given.cardinality
    if given.num_dynamic_feat == AUTO:
        if _all(has_features, train, "dynamic_feat"):
            first = train.series[0].dynamic
            features = 0 if first is None else len(first)
            said.append(_found("num_dynamic_feat", "dynamic_feat", train.first_file))
            said.append(
                f"[num_dynamic_feat=auto] Inferred value of num_dynamic_feat from dataset: {features}"
            )
        else:
            said.append(_absent("num_dynamic_feat", "dynamic_feat", train.first_file))
    elif isinstance(given.num_dynamic_feat, int):
        features = given.num_dynamic_feat
    shape = Shape(
        cardinality,
        features,
        ignore_cat=given.cardinality in (IGNORE, None),
        ignore_features=given.num_dynamic_feat in (IGNORE, None),
    )
    return shape, said


def fit_all(shape: Shape, dataset: Dataset, channel: str) -> list[Series]:
    """The series of a channel as the model uses them.

    Raises:
        ClientError: One does not fit; the message names its file and line.
    """
    fitting: list[Series] = []
    for series, place in zip(dataset.series, dataset.places, strict=True):
        try:
            fitting.append(shape.fit(series))
        except Unusable as error:
            raise ClientError(
                f"Unable to read data channel '{channel}', {place}: {error}. "
                "Correct the data or the hyperparameters 'cardinality' and 'num_dynamic_feat'."
            ) from error
    return fitting


def _all(present: Sequence[bool], train: Dataset, key: str) -> bool:
    if any(present) and not all(present):
        with_key, without = train.places[present.index(True)], train.places[present.index(False)]
        raise ClientError(
            f"Unable to read data channel 'train': '{key}' is present in {with_key} and missing in {without}. "
            f"Give every time series a '{key}', or none."
        )
    return bool(present) and all(present)


def _infer(train: Dataset) -> tuple[int, ...]:
    first = train.series[0].cat or ()
    largest = list(first)
    for series, place in zip(train.series, train.places, strict=True):
        cat = series.cat or ()
        if len(cat) != len(first):
            raise ClientError(
                f"Unable to read data channel 'train', {place}: 'cat' has {_some(len(cat), 'value', 'values')}, the first series has {len(first)}. "
                "Give every time series the same number of categories."
            )
        largest = [max(pair) for pair in zip(largest, cat, strict=True)]
    return tuple(value + 1 for value in largest)


def _found(name: str, key: str, file: str) -> str:
    return f"[{name}=auto] `{key}` field was found in the file `{file}` and will be used for training."


def _absent(name: str, key: str, file: str) -> str:
    return (
        f"[{name}=auto] `{key}` field was NOT found in the file `{file}` and will NOT be used for training."
    )


def _some(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
