"""A mount namespace of its own for the calling process, in which a directory of its own is /opt/ml, or /var/task.

Pure standard library and few modules of it, no engine: the file is run as a script by an interpreter without site-packages, and
imported by the shim and by functions' runtime, all of which somebody waits for.
"""

# ruff: noqa: PTH102, PTH110, PTH112, PTH119, PTH120, PTH114, PTH115, PTH118, PTH123, PTH208, PTH211
from __future__ import annotations

import ctypes
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Mount = Callable[..., None]

BASE = "/opt/ml"
TASK = "/var/task"

_CLONE_NEWNS, _CLONE_NEWUSER, _CLONE_NEWNET = 0x20000, 0x10000000, 0x40000000
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REMOUNT = 1, 2, 4, 8, 32
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_SIGKILL = 9


def enter(
    root: str, hosts: Sequence[str] = (), *, read_only: Sequence[str] = (), isolate_network: bool = False
) -> None:
    """Give the calling process its own mount namespace in which ``root/ml`` is /opt/ml and ``hosts`` are loopback.

    ``read_only`` are directories below /opt/ml that it cannot write to.

    Raises:
        OSError: The kernel does not allow it.
    """
    libc, mount = _separate(_CLONE_NEWNET if isolate_network else 0)
    own = os.path.join(root, "ml")
    if not os.path.isdir(BASE):
        _cover(mount, os.path.dirname(BASE), {os.path.basename(BASE): own})
    else:
        mount(own, BASE, None, _MS_BIND)
    for folder in read_only:
        target = f"{BASE}/{folder}"
        mount(target, target, None, _MS_BIND)
        _make_read_only(mount, target)
    if hosts:
        names = os.path.join(root, "hosts")
        known = "127.0.0.1 localhost"
        if os.path.exists("/etc/hosts"):
            with open("/etc/hosts", errors="replace") as file:
                known = file.read().rstrip("\n")
        _write(names, known + "\n" + "".join(f"127.0.0.{i} {h}\n" for i, h in enumerate(hosts, 1)))
        mount(names, "/etc/hosts", None, _MS_BIND)
    if isolate_network:
        _loopback_up()
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def show(task: str, layers: str = "") -> None:
    """Give the calling process its own mount namespace in which ``task`` is /var/task and what is in ``layers`` lies in /opt, read-only.

    What else is in /opt stays there: an interpreter may be.

    Raises:
        OSError: The kernel does not allow it.
    """
    libc, mount = _separate(0)
    if os.path.isdir(TASK):
        mount(task, TASK, None, _MS_BIND)
    else:
        _cover(mount, os.path.dirname(TASK), {os.path.basename(TASK): task})
    shown = [TASK]
    if layers:
        entries = {name: os.path.join(layers, name) for name in os.listdir(layers)}
        _cover(mount, "/opt", entries)
        shown += [f"/opt/{name}" for name in entries]
    for target in shown:
        _make_read_only(mount, target)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _separate(network: int) -> tuple[ctypes.CDLL, Mount]:
    """Leave the namespaces of everybody else; a function that mounts in the new one."""
    libc = ctypes.CDLL(None, use_errno=True)

    def check(result: int, what: str) -> None:
        if result != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"{what}: {os.strerror(number)}")

    def mount(source: str | None, target: str, kind: str | None = None, flags: int = 0) -> None:
        arguments = [item.encode() if item is not None else None for item in (source, target, kind)]
        check(libc.mount(*arguments, ctypes.c_ulong(flags), None), f"mount {source} on {target}")

    uid, gid = os.getuid(), os.getgid()
    # Root needs no user namespace, and keeps its rights over other users' files without one.
    if uid != 0 or libc.unshare(_CLONE_NEWNS | network) != 0:
        check(libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNS | network), "unshare")
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{uid} {uid} 1")
        _write("/proc/self/gid_map", f"{gid} {gid} 1")
    mount(None, "/", None, _MS_REC | _MS_PRIVATE)
    return libc, mount


def _cover(mount: Mount, parent: str, own: Mapping[str, str]) -> None:
    """Show files and directories of one's own in a directory that is not ours to write to.

    A tmpfs over it, with everything that was there bound back through a descriptor.
    """
    keep = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    sources = {name: os.open(path, os.O_RDONLY) for name, path in own.items()}
    entries = os.listdir(keep)
    mount("tmpfs", parent, "tmpfs")
    for entry in entries:
        if entry in sources:
            continue
        source, target = f"/proc/self/fd/{keep}/{entry}", f"{parent}/{entry}"
        if os.path.islink(source):
            os.symlink(os.readlink(source), target)
        else:
            _bind(mount, source, target)
    for name, descriptor in sources.items():
        _bind(mount, f"/proc/self/fd/{descriptor}", f"{parent}/{name}")
        os.close(descriptor)
    os.close(keep)


def _bind(mount: Mount, source: str, target: str) -> None:
    if os.path.isdir(source):
        os.mkdir(target)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    mount(source, target, None, _MS_BIND | _MS_REC)


def _make_read_only(mount: Mount, target: str) -> None:
    # A remount must keep the flags that the mount is locked to in a user namespace.
    locked = os.statvfs(target).f_flag & (_MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    mount(None, target, None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | locked)


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies (Linux; elsewhere nothing happens)."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def _loopback_up() -> None:
    import fcntl
    import socket
    import struct

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        request = struct.pack("16sh", b"lo", 0x1 | 0x40)  # IFF_UP | IFF_RUNNING
        fcntl.ioctl(handle, 0x8914, request)  # SIOCSIFFLAGS


def main(arguments: list[str]) -> None:
    """``namespace.py [--hosts a,b] [--isolate-network] [--die-with-parent] ROOT -- COMMAND...``"""
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
