"""A MariaDB server for dolphie to show: its own scratch folder, a loopback port, gone at the end of the run."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.venvs import Unavailable

ANSWERS_WITHIN = 30.0
"""Seconds for the server to accept a connection."""
SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
"""Debian keeps the server where a person's PATH does not look."""


def found() -> str:
    """The server's program, installed by apt where one is root.

    Raises:
        Unavailable: There is none, and it cannot be installed.
    """
    program = shutil.which("mariadbd", path=SBIN)
    if program is None and os.getuid() == 0 and shutil.which("apt-get"):
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "mariadb-server"]
        subprocess.run(install, capture_output=True, check=False)
        program = shutil.which("mariadbd", path=SBIN)
    if program is None:
        raise Unavailable("mariadb-server is not installed, and apt-get cannot install it here")
    return program


def uri() -> str:
    """Start a server for the rest of this process; returns ``mysql://user:password@127.0.0.1:port``.

    Raises:
        Unavailable: It is not installed, or does not come up.
    """
    program = found()
    folder = Path(tempfile.mkdtemp(prefix="mlconsole-bench-mysql-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if os.getuid() == 0:
        shutil.chown(folder, "mysql", "mysql")
    user = ["--user=mysql"] if os.getuid() == 0 else []
    data = f"--datadir={folder / 'data'}"
    made = subprocess.run(
        ["mariadb-install-db", "--no-defaults", data, "--auth-root-authentication-method=normal", *user],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        raise Unavailable(f"mariadb-install-db: {(made.stderr or made.stdout).strip()[-200:]}")
    password = secrets.token_hex(8)
    first = folder / "first.sql"
    first.write_text(
        f"CREATE USER 'bench'@'127.0.0.1' IDENTIFIED BY '{password}';\n"
        "GRANT ALL ON *.* TO 'bench'@'127.0.0.1';\n"  # one statement a line is what an init file may hold
    )
    first.chmod(0o644)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    server = subprocess.Popen(
        [
            program, "--no-defaults", data, f"--socket={folder / 'socket'}", f"--port={port}",
            "--bind-address=127.0.0.1", "--skip-name-resolve", "--performance-schema=ON",
            f"--init-file={first}", *user,
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def end() -> None:
        server.terminate()
        server.wait(20)

    atexit.register(end)
    until = time.monotonic() + ANSWERS_WITHIN
    while time.monotonic() < until and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return f"mysql://bench:{password}@127.0.0.1:{port}"
    raise Unavailable(f"mariadbd does not answer on port {port} within {ANSWERS_WITHIN:.0f} s")
