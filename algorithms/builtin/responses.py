"""Answers of the first-party algorithms in the format a request accepts."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.builtin.requests import CSV, JSON, JSONLINES, RECORDIO, BadRequest
from algorithms.container.serving import Reply
from algorithms.container.serving_codecs import parse_accept

WRITABLE = (JSON, JSONLINES, CSV, RECORDIO)

log = logging.getLogger("serving")


def choose(accept: str, default: str = JSON) -> str:
    """The content type to answer in: the most wanted of ``accept`` that can be written, ``default`` for none or any.

    Raises:
        BadRequest: 406 when none can be written.
    """
    wanted = parse_accept(accept)
    for name in wanted or ["*/*"]:
        if name in WRITABLE:
            return name
        if name == "*/*" or (name.endswith("/*") and default.startswith(name[:-1])):
            return default
        for known in WRITABLE:
            if name.endswith("/*") and known.startswith(name[:-1]):
                return known
    raise BadRequest(
        406, f"Unsupported accept type '{accept}'. Supported accept types are: {', '.join(WRITABLE)}."
    )


def render(content_type: str, envelope: str, columns: Mapping[str, NDArray[Any]]) -> Reply:
    """A model's answer as a reply.

    Args:
        content_type: What `choose` answered.
        envelope: The JSON document's only member, for example ``predictions``.
        columns: Names to arrays of shape (n,) (a number a row) or (n, m) (a list a row), in the order of CSV's columns. Integers
            stay integers in JSON; recordIO has float32 for all.
    """
    if content_type == RECORDIO:
        from algorithms.formats import records

        return Reply(200, records.outputs(columns), RECORDIO)
    if content_type == CSV:
        lists = [np.asarray(column).reshape(len(column), -1).tolist() for column in columns.values()]
        lines = [
            ",".join(repr(value) for cells in row for value in cells) for row in zip(*lists, strict=True)
        ]
        return Reply(200, ("\n".join(lines) + "\n").encode(), CSV)
    names = list(columns)
    values = zip(*(column.tolist() for column in columns.values()), strict=True)
    rows = [dict(zip(names, row, strict=True)) for row in values]
    if content_type == JSONLINES:
        return Reply(200, ("\n".join(map(json.dumps, rows)) + "\n").encode(), JSONLINES)
    return Reply(200, json.dumps({envelope: rows}).encode(), JSON)


def execution_parameters(workers: int) -> Reply:
    """What batch transform is told by every first-party container."""
    known = {"MaxConcurrentTransforms": workers, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}
    return Reply(200, json.dumps(known).encode(), JSON)


def guarded(work: Callable[[], Reply]) -> Reply:
    """``work``'s reply; a `BadRequest` is its status and message, anything else a 500 with the trace in the log."""
    try:
        return work()
    except BadRequest as error:
        log.warning("%s", error)
        return Reply(error.status, str(error).encode(), "text/plain")
    except MemoryError:
        return Reply(
            413, b"The request needs more memory than there is. Send fewer rows at a time.", "text/plain"
        )
    except Exception as error:
        log.error("%s", traceback.format_exc().rstrip())
        return Reply(500, f"{type(error).__name__}: {error}".encode(), "text/plain")
