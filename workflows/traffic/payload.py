"""One request of a replay, and the answer to it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Payload:
    """A request's body.

    Args:
        label: The true answer, where the data tells it; it is not sent.
        key: Whose request it is (a user, a file, a captured event), for assignments that must stick.
    """

    body: bytes
    content_type: str
    label: str | None = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one request.

    Args:
        inference_id: The request's own id, to join the answer with what is learnt later.
        variant: The variant that answered; empty where a failure does not tell it.
        status: 200, the HTTP status of an error, or 0 when no answer came at all.
        code: The AWS error code, ``timeout`` or ``unreachable`` when no answer came; empty when it went well.
        milliseconds: From sending to the last byte of the answer.
        body: The answer's body, or the error's message.
        at: Epoch seconds of the sending.
        latency: Milliseconds from the moment at which the plan wanted the request sent: waiting for a free
            connection counts. Equal to ``milliseconds`` where the plan has no rate.
    """

    payload: Payload
    inference_id: str
    variant: str
    status: int
    code: str
    milliseconds: float
    body: bytes
    at: float
    latency: float

    @property
    def failed(self) -> bool:
        """Whether the model gave no answer."""
        return bool(self.code)
