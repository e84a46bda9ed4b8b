"""Elementary functions of a float or of an array: one formula serves the live test and its simulation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from numpy.typing import NDArray

Numbers: TypeAlias = "float | NDArray[Any]"
"""A number or an array of them; arrays broadcast."""


def is_array(*values: Any) -> bool:
    """Whether any of the values is an array."""
    return any(hasattr(value, "shape") and not isinstance(value, int | float) for value in values)


def log(value: Any) -> Any:
    """The natural logarithm; -inf at 0."""
    if is_array(value):
        import numpy

        with numpy.errstate(divide="ignore"):
            return numpy.log(value)
    return math.log(value) if value > 0 else -math.inf


def sqrt(value: Any) -> Any:
    """The square root."""
    if is_array(value):
        import numpy

        return numpy.sqrt(value)
    return math.sqrt(value)


def lgamma(value: Any) -> Any:
    """The logarithm of the gamma function, for positive values."""
    if is_array(value):
        from scipy.special import gammaln

        return gammaln(value)
    return math.lgamma(value)


def betaln(a: Any, b: Any) -> Any:
    """The logarithm of the beta function B(a, b), for positive values."""
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def logmeanexp(values: list[Any]) -> Any:
    """log of the mean of exp(value) over a list of numbers or of equally shaped arrays."""
    if is_array(*values):
        import numpy

        return numpy.logaddexp.reduce(numpy.stack(values), axis=0) - math.log(len(values))
    top = max(values)
    if math.isinf(top):
        return top
    return top + math.log(sum(math.exp(value - top) for value in values) / len(values))
