"""A process with an /opt/ml of its own: by namespaces where the kernel allows them, else by rewriting paths.

Pure standard library: the file is also run as a script, by an interpreter started without site-packages, so that it costs
some fifteen milliseconds. This keeps honest programs apart; it does not hold a hostile one of the same user.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

BASE = "/opt/ml"
NO_NAMESPACES = "MLCONSOLE_NO_NAMESPACES"

_CLONE_NEWNS, _CLONE_NEWUSER, _CLONE_NEWNET = 0x20000, 0x10000000, 0x40000000
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REMOUNT = 1, 2, 4, 8, 32
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_SIGKILL = 9


class Launch(NamedTuple):
    """What to start. ``base`` is where the process finds what SageMaker calls /opt/ml."""

    argv: list[str]
    env: dict[str, str]
    base: str


def prepare(
    command: Sequence[str],
    env: Mapping[str, str],
    root: Path,
    *,
    hosts: Sequence[str] = ("algo-1",),
    isolate_network: bool = False,
    die_with_parent: bool = False,
) -> Launch:
    """The command line and environment that run ``command`` with ``root/ml`` as its /opt/ml.

    Without namespaces /opt/ml is replaced by ``root/ml`` in every argument and variable, and SAGEMAKER_BASE_DIR names it.

    Args:
        root: The process's own directory; ``root/ml`` must exist.
        hosts: Names that resolve to loopback addresses, 127.0.0.1 for the first (with namespaces only).
        isolate_network: No network but loopback (with namespaces only).
        die_with_parent: Killed when the starting process dies (Linux).
    """
    base = root.absolute() / "ml"
    if not namespaces_allowed():
        return Launch(
            [rewritten(item, base) for item in command],
            {
                **{name: rewritten(value, base) for name, value in env.items()},
                "SAGEMAKER_BASE_DIR": str(base),
            },
            str(base),
        )
    options = ["--hosts", ",".join(hosts)]
    if isolate_network:
        options.append("--isolate-network")
    if die_with_parent:
        options.append("--die-with-parent")
    wrapper = [sys.executable, "-I", "-S", __file__, *options, str(root.absolute()), "--"]
    return Launch([*wrapper, *command], dict(env), BASE)


def rewritten(text: str, base: Path | str) -> str:
    """``text`` with /opt/ml replaced by ``base``, where it is that directory and not the start of a longer name."""
    if BASE not in text:
        return text
    pieces = text.split(BASE)
    done = [pieces[0]]
    for before, after in itertools.pairwise(pieces):
        inside = (
            before[-1:].isalnum()
            or before[-1:] in ("_", "-")
            or after[:1].isalnum()
            or after[:1] in ("_", "-")
        )
        done.append((BASE if inside else str(base)) + after)
    return "".join(done)


def namespaces_allowed() -> bool:
    """Whether a process here can have its own /opt/ml by namespaces: tried once, in a process that is thrown away."""
    return os.environ.get(NO_NAMESPACES, "") in ("", "0") and _probe()


@functools.cache
def _probe() -> bool:
    if not sys.platform.startswith("linux"):
        return False
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "ml", "probe").mkdir(parents=True)
        # A plain program after the switch: what is asked is whether /opt/ml is ours there.
        command = [sys.executable, "-I", "-S", __file__, folder, "--", "test", "-d", f"{BASE}/probe"]
        try:
            return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False


def enter(
    root: str, hosts: Sequence[str] = (), *, read_only: Sequence[str] = (), isolate_network: bool = False
) -> None:
    """Give the calling process its own mount namespace in which ``root/ml`` is /opt/ml and ``hosts`` are loopback.

    ``read_only`` are directories below /opt/ml that it cannot write to.

    Raises:
        OSError: The kernel does not allow it.
    """
    libc = ctypes.CDLL(None, use_errno=True)

    def check(result: int, what: str) -> None:
        if result != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"{what}: {os.strerror(number)}")

    def mount(source: str | None, target: str, kind: str | None = None, flags: int = 0) -> None:
        arguments = [item.encode() if item is not None else None for item in (source, target, kind)]
        check(libc.mount(*arguments, ctypes.c_ulong(flags), None), f"mount {source} on {target}")

    uid, gid = os.getuid(), os.getgid()
    network = _CLONE_NEWNET if isolate_network else 0
    # Root needs no user namespace, and keeps its rights over other users' files without one.
    if uid != 0 or libc.unshare(_CLONE_NEWNS | network) != 0:
        check(libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNS | network), "unshare")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    mount(None, "/", None, _MS_REC | _MS_PRIVATE)
    own = os.path.join(root, "ml")  # noqa: PTH118
    if not os.path.isdir(BASE):  # noqa: PTH112
        # /opt is not ours to write to: a tmpfs over it, with everything that was there bound back through a descriptor.
        keep = os.open("/opt", os.O_RDONLY | os.O_DIRECTORY)
        own_fd = os.open(own, os.O_RDONLY | os.O_DIRECTORY)
        entries = os.listdir(keep)  # noqa: PTH208
        mount("tmpfs", "/opt", "tmpfs")
        for entry in entries:
            source, target = f"/proc/self/fd/{keep}/{entry}", f"/opt/{entry}"
            if os.path.islink(source):  # noqa: PTH114
                os.symlink(os.readlink(source), target)  # noqa: PTH115, PTH211
                continue
            if os.path.isdir(source):  # noqa: PTH112
                os.mkdir(target)  # noqa: PTH102
            else:
                os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
            mount(source, target, None, _MS_BIND | _MS_REC)
        os.mkdir(BASE)  # noqa: PTH102
        mount(f"/proc/self/fd/{own_fd}", BASE, None, _MS_BIND)
        os.close(keep)
        os.close(own_fd)
    else:
        mount(own, BASE, None, _MS_BIND)
    for folder in read_only:
        target = f"{BASE}/{folder}"
        mount(target, target, None, _MS_BIND)
        # A remount must keep the flags that the mount is locked to in a user namespace.
        locked = os.statvfs(target).f_flag & (_MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
        mount(None, target, None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | locked)
    if hosts:
        names = os.path.join(root, "hosts")  # noqa: PTH118
        known = (
            Path("/etc/hosts").read_text(errors="replace")
            if Path("/etc/hosts").exists()
            else "127.0.0.1 localhost\n"
        )
        Path(names).write_text(
            known.rstrip("\n") + "\n" + "".join(f"127.0.0.{i} {h}\n" for i, h in enumerate(hosts, 1))
        )
        mount(names, "/etc/hosts", None, _MS_BIND)
    if isolate_network:
        _loopback_up()
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies (Linux; elsewhere nothing happens)."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)


def _loopback_up() -> None:
    import fcntl
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        request = struct.pack("16sh", b"lo", 0x1 | 0x40)  # IFF_UP | IFF_RUNNING
        fcntl.ioctl(handle, 0x8914, request)  # SIOCSIFFLAGS


def main(arguments: list[str]) -> None:
    """``launcher.py [--hosts a,b] [--isolate-network] [--die-with-parent] ROOT -- COMMAND...``"""
    split = arguments.index("--")
    options, command = arguments[:split], arguments[split + 1 :]
    root = options.pop()
    hosts = options[options.index("--hosts") + 1].split(",") if "--hosts" in options else []
    enter(root, hosts, isolate_network="--isolate-network" in options)
    if "--die-with-parent" in options:
        # After the switch: a change of credentials would clear it.
        die_with_parent()
    os.execvpe(command[0], command, os.environ)


if __name__ == "__main__":
    main(sys.argv[1:])
