"""A Python environment per job: what it installs with pip stays its own, what the engine has is there already."""

from __future__ import annotations

import sys
from pathlib import Path

_SCRIPTS = {"pip": "pip", "pip3": "pip", "torchrun": "torch.distributed.run"}


def make(folder: Path) -> Path:
    """Write a virtual environment on top of the engine's and return its interpreter.

    Written by hand instead of by `venv`, which takes a tenth of a second: an interpreter link, ``pyvenv.cfg``, and a path
    file that adds the engine's packages behind the job's own. pip sees those as installed, but not as its to remove.
    """
    binaries = folder / "bin"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = folder / "lib" / version / "site-packages"
    binaries.mkdir(parents=True)
    packages.mkdir(parents=True)
    base = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    for name in ("python", "python3", version):
        (binaries / name).symlink_to(base)
    (folder / "pyvenv.cfg").write_text(
        f"home = {base.parent}\ninclude-system-site-packages = false\nversion = {sys.version.split()[0]}\n"
    )
    lines = [f"import site; site.addsitedir({path!r})" for path in _parents()]
    (packages / "engine.pth").write_text("\n".join(lines) + "\n")
    interpreter = binaries / "python3"
    for name, module in _SCRIPTS.items():
        script = binaries / name
        script.write_text(f'#!/bin/sh\nexec "{interpreter}" -m {module} "$@"\n')
        script.chmod(0o755)
    return interpreter


def _parents() -> list[str]:
    return [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
