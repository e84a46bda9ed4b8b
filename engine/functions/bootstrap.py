"""The Python runtime inside an execution environment: loads the handler, answers invocations, tells errors as Lambda does.

Standard library only, and nothing of the engine: the file is run as a script by an interpreter without site-packages.
Error documents, log lines and the context object follow awslambdaric, the runtime client of Lambda's own Python images.

One frame on the control socket: four bytes (big-endian) with the length of a JSON head, the head, and ``head["length"]`` bytes.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import os
import select
import socket
import sys
import threading
import time
import traceback
from typing import Any


class Channel:
    """The control socket."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._file = self._socket.makefile("rb", buffering=65536)

    def read(self) -> tuple[dict[str, Any], bytes]:
        """The next frame.

        Raises:
            EOFError: The engine has gone, or wants this process to end.
        """
        size = int.from_bytes(self._exactly(4), "big")
        head: dict[str, Any] = json.loads(self._exactly(size))
        return head, self._exactly(head.get("length", 0))

    def write(self, head: dict[str, Any], body: bytes = b"") -> None:
        """Send a frame."""
        text = json.dumps({**head, "length": len(body)}).encode()
        self._socket.sendall(len(text).to_bytes(4, "big") + text + body)

    def _exactly(self, size: int) -> bytes:
        data: bytes = self._file.read(size)
        if len(data) < size:
            raise EOFError
        return data


def end_with_engine(descriptor: int) -> None:
    """End this process when the engine closes its side, whatever the handler is doing."""
    waiting = select.poll()
    waiting.register(descriptor, getattr(select, "POLLRDHUP", 0))
    waiting.poll()
    os._exit(0)


# The context object


class CognitoIdentity:
    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __init__(self) -> None:
        self.cognito_identity_id = None
        self.cognito_identity_pool_id = None


class Client:
    __slots__ = ("app_package_name", "app_title", "app_version_code", "app_version_name", "installation_id")

    def __init__(self, told: dict[str, Any]) -> None:
        for name in self.__slots__:
            setattr(self, name, told.get(name))


class ClientContext:
    __slots__ = ("client", "custom", "env")

    def __init__(self, told: dict[str, Any]) -> None:
        self.custom = told.get("custom")
        self.env = told.get("env")
        self.client = Client(told["client"]) if isinstance(told.get("client"), dict) else None


class LambdaContext:
    """What a handler gets as its second argument."""

    def __init__(self, head: dict[str, Any]) -> None:
        self.aws_request_id = head["id"]
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = head["arn"]
        self.tenant_id = None
        told = head.get("client_context")
        self.client_context = ClientContext(json.loads(told)) if told else None
        self.identity = CognitoIdentity()
        self._epoch_deadline_time_in_ms: int = head["deadline"]

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function's timeout."""
        return max(0, self._epoch_deadline_time_in_ms - int(time.time() * 1000))

    def log(self, message: str) -> None:
        """Write to the function's log."""
        sys.stdout.write(str(message))


# Errors and log lines


def places() -> list[tuple[str, str]]:
    """Where the package and the layers really lie, and what Lambda calls these places."""
    found = [(os.environ["LAMBDA_TASK_ROOT"], "/var/task")]
    layers = os.environ.get("MLCONSOLE_LAYERS")
    return [*found, (layers, "/opt")] if layers else found


def as_on_lambda(path: str) -> str:
    for real, told in places():
        if path == real or path.startswith(real + os.sep):
            return told + path[len(real) :]
    return path


def error_document(
    message: str, kind: str, frames: list[traceback.FrameSummary], request_id: str | None
) -> dict[str, Any]:
    document: dict[str, Any] = {"errorMessage": message, "errorType": kind}
    if request_id is not None:
        document["requestId"] = request_id
    for frame in frames:
        frame.filename = as_on_lambda(frame.filename)
    document["stackTrace"] = traceback.format_list(frames)
    return document


def error_line(document: dict[str, Any]) -> str:
    """An error as one event of the log: carriage returns stand for its line breaks."""
    text = f"[ERROR] {document['errorType']}"
    if document["errorMessage"]:
        text += f": {document['errorMessage']}"
    if document["stackTrace"]:
        text += "\nTraceback (most recent call last):\n" + "".join(document["stackTrace"])
    return text.rstrip("\n").replace("\n", "\r")


class Fault(Exception):
    """The handler cannot be had; ``document`` says why."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(document["errorMessage"])
        self.document = document


class LogFormatter(logging.Formatter):
    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace("\n", "\r")


class LogHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        sys.stdout.write(self.format(record) + "\n")


class RequestId(logging.Filter):
    current = ""

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self.current
        return True


def set_up_logging() -> None:
    handler = LogHandler()
    handler.setFormatter(
        LogFormatter(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
        )
    )
    handler.addFilter(RequestId())
    logging.getLogger().addHandler(handler)


# The handler


def load(name: str) -> Any:
    """The function that ``module.function`` names.

    Raises:
        Fault: It cannot be had.
    """
    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as error:
        text = f"Bad handler '{name}': {error}"
        raise Fault(error_document(text, "Runtime.MalformedHandlerName", [], None)) from error
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        text = f"Unable to import module '{module_name}': {error}"
        raise Fault(error_document(text, "Runtime.ImportModuleError", [], None)) from error
    except SyntaxError as error:
        document = error_document(
            f"Syntax error in module '{module_name}': {error}", "Runtime.UserCodeSyntaxError", [], None
        )
        line = f'  File "{as_on_lambda(error.filename or "")}" Line {error.lineno}\n    {error.text or ""}'
        document["stackTrace"] = [line.rstrip("\n") + "\n"]
        raise Fault(document) from error
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        root = os.environ["LAMBDA_TASK_ROOT"]
        own = [i for i, frame in enumerate(frames) if frame.filename.startswith(root)]
        kept = list(frames)[own[0] :] if own else list(frames)
        raise Fault(error_document(str(error), type(error).__name__, kept, None)) from error
    if not hasattr(module, function_name):
        text = f"Handler '{function_name}' missing on module '{module_name}'"
        raise Fault(error_document(text, "Runtime.HandlerNotFound", [], None))
    return getattr(module, function_name)


def plain(value: Any) -> Any:
    import decimal

    if isinstance(value, decimal.Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


encode = json.JSONEncoder(ensure_ascii=False, default=plain).encode


def answer(handler: Any, head: dict[str, Any], payload: bytes) -> tuple[str, bytes, str]:
    """What became of one invocation: ``result`` or ``error``, its document, and a line for the log."""
    request_id = head["id"]
    try:
        try:
            event = json.loads(payload.decode("utf-8"))
        except ValueError as error:
            raise Fault(
                error_document(
                    f"Unable to unmarshal input: {error}", "Runtime.UnmarshalError", [], request_id
                )
            ) from error
        returned = handler(event, LambdaContext(head))
        try:
            return "result", encode(returned).encode("utf-8"), ""
        except Exception as error:
            text = f"Unable to marshal response: {error}"
            raise Fault(error_document(text, "Runtime.MarshalError", [], request_id)) from error
    except Fault as fault:
        document = fault.document
    except Exception as error:
        # The first frame is this function's.
        frames = list(traceback.extract_tb(error.__traceback__))[1:]
        document = error_document(str(error), type(error).__name__, frames, request_id)
    return "error", encode(document).encode("utf-8", "replace"), error_line(document)


def settle() -> None:
    """Go where Lambda's functions live: /var/task and /opt, where the kernel lets a process have its own; else to the real places."""
    task, layers = os.environ["LAMBDA_TASK_ROOT"], os.environ.get("MLCONSOLE_LAYERS", "")
    namespaces = os.environ.pop("MLCONSOLE_NAMESPACE_MODULE", "")
    if not namespaces:
        return
    import runpy

    with contextlib.suppress(OSError):
        runpy.run_path(namespaces)["show"](task, layers)
        os.environ["LAMBDA_TASK_ROOT"] = "/var/task"
        os.environ.pop("MLCONSOLE_LAYERS", None)
        for name in ("MLCONSOLE_PYTHON_PATH", "PYTHONPATH", "PATH", "LD_LIBRARY_PATH"):
            entries = os.environ.get(name, "").split(os.pathsep)
            moved = [
                "/opt" + entry[len(layers) :] if layers and entry.startswith(layers + os.sep) else entry
                for entry in entries
            ]
            if name in os.environ:
                os.environ[name] = os.pathsep.join(moved)
        os.chdir("/var/task")


def main(descriptor: int) -> None:
    settle()
    channel = Channel(descriptor)
    threading.Thread(target=end_with_engine, args=(descriptor,), daemon=True).start()
    root = os.environ["LAMBDA_TASK_ROOT"]
    sys.path[:0] = [root, *filter(None, os.environ.get("MLCONSOLE_PYTHON_PATH", "").split(os.pathsep))]
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    set_up_logging()
    pipe = os.dup(1)
    try:
        handler = load(os.environ["_HANDLER"])
    except Fault as fault:
        channel.write({"type": "fault", "log": error_line(fault.document)}, encode(fault.document).encode())
        return
    channel.write({"type": "ready"})
    while True:
        head, payload = channel.read()
        channel.write({"type": "started"})
        RequestId.current = head["id"]
        os.environ["_X_AMZN_TRACE_ID"] = head.get("trace", "")
        kind, document, line = answer(handler, head, payload)
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):  # A handler may have closed or replaced it.
                stream.flush()
        # Everything that was printed lies before this mark in the pipe.
        os.write(pipe, b"\0" + head["id"].encode() + b"\n")
        channel.write({"type": kind, "log": line}, document)


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        sys.exit(0)
