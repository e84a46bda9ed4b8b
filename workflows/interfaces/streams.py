"""The log of a job or an endpoint as a study reads it."""

from __future__ import annotations

import sys

from workflows.observe.gateway import Gateway
from workflows.observe.logs import LogReader
from workflows.observe.rows import LogLine
from workflows.problem import Problem


class AccountLog:
    """A log together with the account it is read in."""

    def __init__(self, gateway: Gateway, reader: LogReader) -> None:
        self._gateway = gateway
        self._reader = reader

    def read(self) -> list[LogLine]:
        """The new lines of every stream, by time. No group or stream yet: no lines.

        Raises:
            Exception: botocore's own error. Who waits for a job tells by it what passes.
        """
        try:
            return list(self._reader.read(self._gateway, most_pages=sys.maxsize).lines)
        except Problem as problem:
            raise problem.__cause__ or problem from None
