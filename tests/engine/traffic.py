"""A steady stream of signed invocations over kept connections, and a record of every single one."""

from __future__ import annotations

import http.client
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from scipy.stats import binomtest

if TYPE_CHECKING:
    from tests.engine.conftest import RunningEngine


class Call(NamedTuple):
    """One request: when it was sent (epoch seconds), its HTTP status (0: no answer), the answer, the variant, and what went wrong."""

    sent: float
    status: int
    answer: str
    variant: str
    problem: str = ""


class Traffic:
    """Invokes one endpoint from several threads, in all so many times a second, until it is stopped.

    A request is sent once: nothing is tried again, so whatever the engine drops is seen.

    Args:
        patience: Seconds to wait for an answer.
    """

    def __init__(
        self, engine: RunningEngine, endpoint: str, rate: float, threads: int = 8, patience: float = 65.0
    ) -> None:
        self.calls: list[Call] = []
        self.asked = 0
        self._engine = engine
        self._path = f"/endpoints/{endpoint}/invocations"
        self._pause = threads / rate
        self._patience = patience
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(index / rate,), daemon=True) for index in range(threads)
        ]
        self._lock = threading.Lock()

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(self._patience + 5)

    @property
    def failed(self) -> list[Call]:
        """What was not answered with 200."""
        return [call for call in self.calls if call.status != 200]

    def between(self, start: float, end: float) -> list[Call]:
        """What was sent in a span of time."""
        return [call for call in self.calls if start <= call.sent < end]

    def _run(self, offset: float) -> None:
        told = self._engine.connection
        wire = http.client.HTTPConnection(told.host, told.port, timeout=self._patience)
        due = time.monotonic() + offset
        headers, signed = self._signed(), time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            due = max(due + self._pause, time.monotonic() - 1.0)
            if time.monotonic() - signed > 120:
                headers, signed = self._signed(), time.monotonic()
            with self._lock:
                self.asked += 1
            sent = time.time()
            try:
                wire.request("POST", self._path, b"1", headers)
                answer = wire.getresponse()
                body = answer.read().decode()
                variant = answer.getheader("x-Amzn-Invoked-Production-Variant") or ""
                problem = "" if answer.status == 200 else body
                call = Call(sent, answer.status, body, variant, problem)
            except (OSError, http.client.HTTPException) as error:
                wire.close()
                call = Call(sent, 0, "", "", repr(error))
            self.calls.append(call)
        wire.close()

    def _signed(self) -> dict[str, str]:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        told = self._engine.connection
        request = AWSRequest(
            "POST", f"{told.url}{self._path}", data=b"1", headers={"content-type": "text/csv"}
        )
        SigV4Auth(Credentials(told.access_key, told.secret_key), "sagemaker", told.region).add_auth(request)
        return dict(request.headers.items())


def chance(hits: int, count: int, share: float) -> float:
    """How likely so many hits or ones as unlikely are at a share, exactly; sigmas of so few requests are far off in the tails."""
    return float(binomtest(hits, count, share).pvalue)
