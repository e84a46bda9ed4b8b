"""HTTP and HTTP_PROXY integrations: a request to another server, which API Gateway neither follows nor repeats."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from engine.gateways.answers import CONFIGURATION, TIMED_OUT, UNREACHABLE, Refused
from engine.gateways.call import Answer, Pairs
from engine.gateways.dropped import HOP

_THREADS = 32
_LARGEST = 10 * 2**20


async def send(
    method: str, url: str, headers: Mapping[str, str], body: bytes, seconds: float, *, insecure: bool
) -> Answer:
    """Send a request and wait for the whole answer.

    Raises:
        Refused: The server is not reached (504), too slow (504), or the URL is none (500).
    """
    loop = asyncio.get_running_loop()
    work = functools.partial(_send, method, url, dict(headers), body, seconds, insecure)
    return await loop.run_in_executor(_threads(), work)


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="gateway-http")


@functools.cache
def _pools(insecure: bool) -> Any:
    import urllib3

    return urllib3.PoolManager(
        num_pools=32, maxsize=_THREADS, retries=False, cert_reqs="CERT_NONE" if insecure else "CERT_REQUIRED"
    )


def _send(
    method: str, url: str, headers: dict[str, str], body: bytes, seconds: float, insecure: bool
) -> Answer:
    import urllib3.exceptions as failures

    try:
        reply = _pools(insecure).request(
            method,
            url,
            headers=headers,
            body=body or None,
            timeout=seconds,
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
        try:
            data = reply.read(_LARGEST + 1)
        finally:
            reply.release_conn()
    except failures.TimeoutError as error:
        raise Refused(TIMED_OUT, cause=str(error)) from error
    except (failures.LocationParseError, failures.LocationValueError, UnicodeError) as error:
        raise Refused(CONFIGURATION, cause=f"Invalid endpoint address: {error}") from error
    except (failures.HTTPError, OSError) as error:
        raise Refused(UNREACHABLE, cause=str(error)) from error
    if len(data) > _LARGEST:
        raise Refused(CONFIGURATION, cause="The endpoint's answer exceeds 10 MB")
    kept: Pairs = [(name, value) for name, value in reply.headers.items() if name.lower() not in HOP]
    return Answer(reply.status, kept, data)
