"""The user's module and its framework's defaults as one thing that answers requests."""

from __future__ import annotations

import importlib
import inspect
import json
import logging
import traceback
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice
from types import ModuleType
from typing import Any

from algorithms.container import serving_codecs as codecs
from algorithms.container.serving import Reply
from algorithms.container.serving_frameworks import Framework

log = logging.getLogger("serving")

CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"


class Context:
    """What newer toolkits pass to functions that take one argument more: the request's headers and the model's properties."""

    def __init__(self, model_dir: str, headers: Mapping[str, str], request_id: str = "") -> None:
        self.system_properties = {"model_dir": model_dir, "gpu_id": None, "batch_size": 1}
        self.manifest: dict[str, Any] = {"model": {}}
        self.request_ids = {0: request_id}
        self.request_processor = [self]
        self.metrics = None
        self.response_headers: dict[str, str] = {}
        self.response_content_type: str | None = None
        self.status: int | None = None
        self._headers = {name.lower(): value for name, value in headers.items()}
        self._given = dict(headers)

    def get_request_header(self, index: int, key: str) -> str | None:
        """A header of the request, whatever its case."""
        return self._headers.get(key.lower())

    def get_all_request_header(self, index: int) -> dict[str, str]:
        """Every header of the request."""
        return dict(self._given)

    def get_request_properties(self) -> dict[str, str]:
        """Every header of the request (the request processor's name for it)."""
        return dict(self._given)

    def set_response_content_type(self, index: int, value: str) -> None:
        """The content type to answer with."""
        self.response_content_type = value

    def set_response_header(self, index: int, key: str, value: str) -> None:
        """A further header of the answer."""
        self.response_headers[key] = value

    def set_response_status(self, code: int = 200, phrase: str = "", idx: int = 0) -> None:
        """The status to answer with."""
        self.status = code


class Function:
    """A function of the contract, called with the context when it takes one argument more."""

    def __init__(self, function: Callable[..., Any], arguments: int) -> None:
        self.function = function
        parameters = list(inspect.signature(function).parameters.values())
        variadic = any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters)
        positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        self.takes_context = not variadic and len(positional) == arguments + 1
        if not variadic and len(positional) not in (arguments, arguments + 1):
            name = getattr(function, "__name__", repr(function))
            raise TypeError(f"{name} takes {len(positional)} arguments but {arguments} were given.")

    def __call__(self, context: Context, *arguments: Any) -> Any:
        if self.takes_context:
            return self.function(*arguments, context)
        return self.function(*arguments)


class Model:
    """A loaded model and the functions around it.

    Args:
        framework: The defaults.
        module: The user's module, or None.
        model_dir: Where the model's files lie.
        default_accept: The content type for a request that accepts anything.

    Raises:
        ValueError: ``transform_fn`` beside one of the functions it replaces.
    """

    def __init__(
        self, framework: Framework, module: ModuleType | None, model_dir: str, default_accept: str
    ) -> None:
        self.model_dir = model_dir
        self.default_accept = default_accept
        self.framework = framework

        def pick(name: str) -> Any:
            return getattr(module, name, None) if module is not None else None

        transform = pick("transform_fn")
        if transform and (pick("input_fn") or pick("predict_fn") or pick("output_fn")):
            raise ValueError(
                "Cannot use transform_fn implementation in conjunction with "
                "input_fn, predict_fn, and/or output_fn implementation"
            )
        self.transform_fn = Function(transform, 4) if transform else None
        self.model_fn = Function(pick("model_fn") or framework.model_fn, 1)
        self.input_fn = Function(pick("input_fn") or framework.input_fn, 2)
        self.predict_fn = Function(pick("predict_fn") or framework.predict_fn, 2)
        self.output_fn = Function(pick("output_fn") or framework.output_fn, 2)
        self._pre_model_fn = Function(pick("pre_model_fn"), 1) if pick("pre_model_fn") else None
        self._warmup_fn = Function(pick("model_warmup_fn"), 2) if pick("model_warmup_fn") else None
        self._execution_parameters_fn = pick("execution_parameters_fn")
        self.model: Any = None

    @classmethod
    def of(cls, framework: Framework, module: str | None, model_dir: str, default_accept: str) -> Model:
        """Import the user's module and load the model."""
        imported = importlib.import_module(module) if module else None
        found = cls(framework, imported, model_dir, default_accept)
        found.load()
        return found

    def load(self) -> None:
        """Run ``pre_model_fn``, ``model_fn`` and ``model_warmup_fn``."""
        context = Context(self.model_dir, {})
        if self._pre_model_fn:
            self._pre_model_fn(context, self.model_dir)
        self.model = self.model_fn(context, self.model_dir)
        if self._warmup_fn:
            self._warmup_fn(context, self.model_dir, self.model)

    def execution_parameters(self, workers: int) -> Reply:
        """What batch transform asks before it begins."""
        if self._execution_parameters_fn is not None:
            return self._reply(self._execution_parameters_fn(), codecs.JSON, Context(self.model_dir, {}))
        known = {"MaxConcurrentTransforms": workers, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}
        return Reply(200, json.dumps(known).encode(), codecs.JSON)

    def answer(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Answer one invocation; ``headers`` have lower-case names. Never raises: what goes wrong is a status and a message."""
        attributes = headers.get("x-amzn-sagemaker-custom-attributes")
        context = Context(self.model_dir, headers)
        if attributes:
            context.response_headers[CUSTOM_ATTRIBUTES] = attributes
        try:
            return self._transform(body, headers, context)
        except codecs.Unparsable as error:
            return _failure(400, error)
        except Exception as error:
            status = getattr(error, "status_code", None)
            return _failure(status if isinstance(status, int) and 400 <= status <= 599 else 500, error)

    def _transform(self, body: bytes, headers: Mapping[str, str], context: Context) -> Reply:
        content_type = headers.get("content-type") or codecs.JSON
        accept = headers.get("accept", "")
        if not accept or accept == codecs.ANY:
            accept = self.default_accept
        data: str | bytes = body
        if content_type in codecs.TEXT_TYPES:
            try:
                data = body.decode("utf-8")
            except UnicodeDecodeError as error:
                raise codecs.Unparsable(f"The request body is not UTF-8 text: {error}") from error
        if self.transform_fn is not None:
            return self._reply(
                self.transform_fn(context, self.model, data, content_type, accept), accept, context
            )
        try:
            given = self.input_fn(context, data, content_type)
        except codecs.UnsupportedFormat as error:
            return _failure(415, error)
        prediction = self.predict_fn(context, given, self.model)
        try:
            result = self.output_fn(context, prediction, accept)
        except codecs.UnsupportedFormat as error:
            return _failure(406, error)
        return self._reply(result, accept, context)

    def _reply(self, result: Any, accept: str, context: Context) -> Reply:
        content_type = (
            context.response_content_type or (codecs.parse_accept(accept) or [self.default_accept])[0]
        )
        status = context.status or 200
        if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], str):
            result, content_type = result
        elif hasattr(result, "get_data") and hasattr(result, "mimetype"):  # a werkzeug or flask response
            status = int(result.status_code)
            result, content_type = result.get_data(), result.mimetype or content_type
        if isinstance(result, Iterator):
            # The first part here: what fails before it is an answer of its own, with a status that says so.
            first = [_encoded(part) for part in islice(result, 1)]
            parts = chain(first, map(_encoded, result))
            return Reply(status, b"", content_type, context.response_headers, parts)
        return Reply(status, _encoded(result), content_type, context.response_headers)


def _encoded(result: Any) -> bytes:
    if isinstance(result, str):
        return result.encode("utf-8")
    if isinstance(result, bytes | bytearray | memoryview):
        return bytes(result)
    return codecs.to_json(result)


def _failure(status: int, error: BaseException) -> Reply:
    where = error.__traceback__
    while where is not None and where.tb_frame.f_code.co_filename == __file__:
        where = where.tb_next  # the user's frames are what helps
    trace = "".join(traceback.format_exception(type(error), error, where))
    log.error("%s", trace.rstrip())
    return Reply(status, f"{error}\n{trace}".encode(), "text/plain")
