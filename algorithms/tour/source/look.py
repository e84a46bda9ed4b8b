"""What a container sees of itself: the tree below /opt/ml, its process and its parents, its sockets, its variables."""

from __future__ import annotations

import os
import socket
from pathlib import Path

MOST = 60
"""Lines of a tree: a channel may hold thousands of files."""
HIDDEN = ("KEY", "SECRET", "TOKEN", "CREDENTIAL", "PASSWORD")
"""Parts of names whose values are not told."""
PING = b"GET /ping HTTP/1.1\r\nHost: container\r\nConnection: close\r\n\r\n"


def tree(root: str) -> list[str]:
    """The files below a folder with their sizes in bytes, indented; folders end with a slash."""
    lines = []
    for folder, folders, files in os.walk(root):
        folders.sort()
        depth = len(Path(folder).relative_to(root).parts)
        lines.append("  " * depth + (Path(folder).name if depth else root) + "/")
        for name in sorted(files):
            path = Path(folder) / name
            lines.append(f"{'  ' * (depth + 1)}{name}  {path.stat().st_size if path.exists() else '?'}")
    return lines if len(lines) <= MOST else [*lines[:MOST], f"... {len(lines) - MOST} more"]


def processes() -> list[str]:
    """This process and its parents, as far as the container shows them: pid and command line."""
    lines: list[str] = []
    pid = os.getpid()
    while pid > 0 and len(lines) < 10:
        try:
            command = (
                Path(f"/proc/{pid}/cmdline")
                .read_bytes()
                .replace(b"\0", b" ")
                .decode(errors="replace")
                .strip()
            )
            parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            break
        lines.append(f"{pid}  {command[:160]}")
        pid = parent
    return lines


def variables() -> dict[str, str]:
    """SageMaker's environment variables of this process; what looks like a secret is not told."""
    return {
        name: "(not shown)" if any(part in name for part in HIDDEN) else value[:160]
        for name, value in sorted(os.environ.items())
        if name.startswith(("SAGEMAKER_", "SM_", "TRAINING_JOB", "MODEL_SERVER"))
    }


def listening() -> str:
    """Where the container's server listens: the unix socket that it was told to bind, else TCP port 8080."""
    return (
        os.environ.get("SAGEMAKER_BIND_TO_SOCKET")
        or f"127.0.0.1:{os.environ.get('SAGEMAKER_BIND_TO_PORT', '8080')}"
    )


def ping() -> tuple[str, str]:
    """``GET /ping`` as SageMaker sends it to the container: what goes over the socket, and what comes back."""
    where = listening()
    try:
        if where.startswith("/"):
            line = socket.socket(socket.AF_UNIX)
            line.settimeout(3)
            line.connect(where)
        else:
            host, _, port = where.partition(":")
            line = socket.create_connection((host, int(port)), timeout=3)
        with line:
            line.sendall(PING)
            answer = b""
            while chunk := line.recv(4096):
                answer += chunk
    except OSError as error:
        return PING.decode(), f"(no answer: {error})"
    return PING.decode(), answer.decode("latin-1")
