"""Request and response bodies: JSON, CSV, NPY and NPZ, as the framework containers' toolkits read and write them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any, Literal

JSON = "application/json"
CSV = "text/csv"
NPY = "application/x-npy"
NPZ = "application/x-npz"
ANY = "*/*"

TEXT_TYPES = frozenset({JSON, CSV})
"""Content types whose bodies reach user functions as text; every other body is bytes."""

Style = Literal["pytorch", "scikit-learn"]


class UnsupportedFormat(Exception):
    """A content type that the default functions neither read nor write."""

    def __init__(self, content_type: str) -> None:
        super().__init__(
            f"Content type {content_type} is not supported by this framework.\n\n"
            "Please implement input_fn to to deserialize the request data or an output_fn to\n"
            "serialize the response. For more information, see the SageMaker Python SDK README."
        )


class Unparsable(Exception):
    """A body that is not what its content type says."""


def media_type(header: str) -> str:
    """The type alone of a ``Content-Type`` or ``Accept`` element: no parameters, lower case."""
    return header.partition(";")[0].strip().lower()


def parse_accept(header: str) -> list[str]:
    """The media types of an ``Accept`` header, most wanted first (RFC 9110 §12.5.1).

    Types of equal weight keep their order; a weight of zero excludes its type, a weight that is no number counts as 1.
    """
    wanted: list[tuple[float, int, str]] = []
    for position, element in enumerate(header.split(",")):
        name, *parameters = element.split(";")
        if not name.strip():
            continue
        weight = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "q":
                try:
                    weight = float(value)
                except ValueError:
                    weight = 1.0
        if weight > 0:
            wanted.append((-weight, position, name.strip().lower()))
    return [name for _, _, name in sorted(wanted)]


def choose(accept: str, default: str) -> str:
    """The content type to answer in: the first of ``accept`` that can be written, ``default`` for any.

    Raises:
        UnsupportedFormat: None of them can be written.
    """
    for name in parse_accept(accept):
        if name in _ENCODERS["pytorch"]:
            return name
        if name == ANY or (name.endswith("/*") and default.startswith(name[:-1])):
            return default
        if name.endswith("/*"):
            fitting = [known for known in (JSON, CSV, NPY) if known.startswith(name[:-1])]
            if fitting:
                return fitting[0]
    raise UnsupportedFormat(accept)


def decode(body: str | bytes, content_type: str, style: Style) -> Any:
    """The array in a request body: numpy, or a scipy sparse matrix for NPZ.

    Raises:
        UnsupportedFormat: No decoder for the content type.
        Unparsable: The body is not of that type.
    """
    decoder = _DECODERS[style].get(media_type(content_type))
    if decoder is None:
        raise UnsupportedFormat(content_type)
    try:
        return decoder(body)
    except Exception as error:
        raise Unparsable(f"Unable to parse the request body as {content_type}: {error}") from error


def encode(value: Any, content_type: str, style: Style) -> bytes:
    """A prediction as the body of a response.

    Raises:
        UnsupportedFormat: No encoder for the content type.
    """
    encoder = _ENCODERS[style].get(media_type(content_type))
    if encoder is None:
        raise UnsupportedFormat(content_type)
    return encoder(value)


def to_json(value: Any) -> bytes:
    """JSON in which everything that has ``tolist`` (arrays, tensors, data frames' columns) is a list."""

    def plain(item: Any) -> Any:
        if hasattr(item, "tolist"):
            return item.tolist()
        raise TypeError(f"Object of type {type(item).__name__} is not JSON serializable")

    return json.dumps(value, default=plain).encode()


def _text(body: str | bytes) -> str:
    return body if isinstance(body, str) else body.decode("utf-8")


def _bytes(body: str | bytes) -> bytes:
    return body.encode("utf-8") if isinstance(body, str) else body


def _from_json(body: str | bytes) -> Any:
    import numpy as np

    return np.array(json.loads(_text(body)))


def _from_csv_pytorch(body: str | bytes) -> Any:
    import numpy as np

    text = _text(body)
    if not text.strip():
        raise ValueError("the body is empty")
    return np.genfromtxt(io.StringIO(text), delimiter=",")


def _from_csv_sklearn(body: str | bytes) -> Any:
    import numpy as np

    rows = list(csv.reader(io.StringIO(_text(body)), strict=True))
    if not any(rows):
        raise ValueError("the body is empty")
    return np.array(rows).squeeze()


def _from_npy(body: str | bytes) -> Any:
    import numpy as np

    # The containers also unpickle object arrays here; an array of numbers never needs that.
    return np.load(io.BytesIO(_bytes(body)), allow_pickle=False)


def _from_npz(body: str | bytes) -> Any:
    import scipy.sparse

    return scipy.sparse.load_npz(io.BytesIO(_bytes(body)))


def _to_csv_pytorch(value: Any) -> bytes:
    import numpy as np

    stream = io.StringIO()
    np.savetxt(stream, np.atleast_1d(value), delimiter=",", fmt="%s")
    return stream.getvalue().encode()


def _to_csv_sklearn(value: Any) -> bytes:
    import numpy as np

    array = np.atleast_1d(value)
    if array.ndim == 1:
        array = array.reshape(-1, 1)
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(array.tolist())
    return stream.getvalue().encode()


def _to_npy(value: Any) -> bytes:
    import numpy as np

    stream = io.BytesIO()
    np.save(stream, value)
    return stream.getvalue()


_DECODERS: dict[Style, dict[str, Callable[[str | bytes], Any]]] = {
    "pytorch": {JSON: _from_json, CSV: _from_csv_pytorch, NPY: _from_npy, NPZ: _from_npz},
    "scikit-learn": {JSON: _from_json, CSV: _from_csv_sklearn, NPY: _from_npy, NPZ: _from_npz},
}
_ENCODERS: dict[Style, dict[str, Callable[[Any], bytes]]] = {
    "pytorch": {JSON: to_json, CSV: _to_csv_pytorch, NPY: _to_npy},
    "scikit-learn": {JSON: to_json, CSV: _to_csv_sklearn, NPY: _to_npy},
}
