"""What a serving container is told: environment variables, where the model lies, where the user's code lies."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import shutil
import site
import subprocess
import sys
import tarfile
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from algorithms.container.serving_codecs import JSON

DEFAULT_BASE = Path("/opt/ml")
DEFAULT_PROGRAM = "inference.py"
DEFAULT_PORT = 8080

log = logging.getLogger("serving")


class ServingError(Exception):
    """The container cannot serve; the message says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The container's settings, read once.

    ``program`` is the user's script as given and ``program_given`` whether it was, ``submit_directory`` its folder or archive
    ("" when not said), ``socket`` the unix socket to serve on, else TCP ``port``, ``workers`` how many predictions run at a time.
    """

    base_dir: Path
    model_dir: Path
    program: str
    program_given: bool
    submit_directory: str
    framework: str
    default_accept: str
    workers: int
    log_level: int
    socket: str
    port: int

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Environment:
        """Read the ``SAGEMAKER_*`` variables.

        Raises:
            ServingError: A number that is none.
        """
        base = Path(variables.get("SAGEMAKER_BASE_DIR") or DEFAULT_BASE)
        return cls(
            base_dir=base,
            model_dir=Path(variables.get("SAGEMAKER_MODEL_DIR") or base / "model"),
            program=variables.get("SAGEMAKER_PROGRAM") or DEFAULT_PROGRAM,
            program_given=bool(variables.get("SAGEMAKER_PROGRAM")),
            submit_directory=variables.get("SAGEMAKER_SUBMIT_DIRECTORY", ""),
            framework=variables.get("SAGEMAKER_FRAMEWORK", ""),
            default_accept=variables.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or JSON,
            workers=max(1, _integer(variables, "SAGEMAKER_MODEL_SERVER_WORKERS", 1)),
            log_level=_integer(variables, "SAGEMAKER_CONTAINER_LOG_LEVEL", logging.INFO),
            socket=variables.get("SAGEMAKER_BIND_TO_SOCKET", ""),
            port=_integer(variables, "SAGEMAKER_BIND_TO_PORT", DEFAULT_PORT),
        )

    def local(self, path: str) -> Path:
        """A path of the contract on this machine: below ``/opt/ml`` it moves to the base directory."""
        wanted = Path(path)
        if self.base_dir != DEFAULT_BASE and wanted.is_relative_to(DEFAULT_BASE):
            relative = wanted.relative_to(DEFAULT_BASE)
            if relative.parts[:1] == ("model",):
                return self.model_dir.joinpath(*relative.parts[1:])
            return self.base_dir / relative
        return wanted

    def code_directories(self) -> list[Path]:
        """The folders in which the user's modules are looked for, in order; an archive is unpacked first.

        Raises:
            ServingError: ``SAGEMAKER_SUBMIT_DIRECTORY`` is an S3 URI that nobody fetched, or an archive that cannot be read.
        """
        found: list[Path] = []
        submitted = self.submit_directory
        if submitted.startswith("s3://"):
            raise ServingError(
                f"SAGEMAKER_SUBMIT_DIRECTORY is '{submitted}', which was not fetched to this machine."
            )
        if submitted:
            path = self.local(submitted.removeprefix("file://"))
            if path.is_file():
                target = self.base_dir / "code"
                target.mkdir(parents=True, exist_ok=True)
                try:
                    with tarfile.open(path) as archive:
                        archive.extractall(target, filter="data")
                except (tarfile.TarError, OSError) as error:
                    raise ServingError(
                        f"Cannot unpack SAGEMAKER_SUBMIT_DIRECTORY '{submitted}': {error}"
                    ) from error
                path = target
            found.append(path)
        # A multi-model server's prefix upload has the scripts in the model directory itself.
        found += [self.model_dir / "code", self.model_dir]
        return [p for i, p in enumerate(found) if p.is_dir() and p not in found[:i]]

    def module(self, directories: list[Path]) -> str | None:
        """The user's module, importable from now on; None when there is no such script and defaults serve alone.

        Raises:
            ServingError: A script was asked for, is not there, and the framework has no default for it.
        """
        relative = Path(self.program)
        script = relative if relative.suffix == ".py" else relative.with_suffix(".py")
        for directory in directories:
            if (directory / script).is_file() or (
                directory / script.with_suffix("") / "__init__.py"
            ).is_file():
                _prepend([directory / script.parent, *directories])
                return script.stem
        _prepend(directories)
        dotted = self.program.removesuffix(".py")
        try:
            if "/" not in dotted and importlib.util.find_spec(dotted) is not None:
                return dotted
        except ModuleNotFoundError:
            pass
        if self.program_given:
            places = ", ".join(str(p) for p in directories) or str(self.model_dir)
            message = f"SAGEMAKER_PROGRAM names '{self.program}', which is not in {places}."
            if self.framework != "pytorch":
                raise ServingError(f"{message} Put the script into the model archive's code/ folder.")
            log.warning("%s Serving with the framework's default functions.", message)
        return None


def install_requirements(requirements: Path, target: Path) -> None:
    """Install a requirements file into an overlay and put it on the path; what is here already is not installed again.

    The overlay is a virtual environment of its own that sees this one's packages, so that pip neither fetches what is
    satisfied nor touches the environment the container runs from. It is kept for as long as the file does not change.

    Raises:
        ServingError: pip failed; its last lines are in the message.
    """
    lines = [line.strip() for line in requirements.read_text().splitlines()]
    if not any(line and not line.startswith("#") for line in lines):
        return
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
    marker = target / ".installed"
    packages = target / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    if not (marker.is_file() and marker.read_text() == digest):
        log.info("Installing %s", requirements)
        shutil.rmtree(target, ignore_errors=True)
        venv.create(target, with_pip=False, symlinks=True)
        parents = [
            p for p in dict.fromkeys([*site.getsitepackages(), *sys.path]) if p.endswith("site-packages")
        ]
        (packages / "_parents.pth").write_text(
            "".join(f"import site; site.addsitedir({p!r})\n" for p in parents)
        )
        command = [sys.executable, "-m", "pip", "--python", str(target / "bin" / "python"), "install"]
        command += ["--disable-pip-version-check", "--no-input", "-r", str(requirements)]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=requirements.parent
        )
        print(done.stdout, end="", flush=True)
        if done.returncode != 0:
            tail = " ".join(done.stdout.strip().splitlines()[-3:])
            raise ServingError(
                f"pip could not install {requirements.name} (exit status {done.returncode}): {tail}"
            )
        marker.write_text(digest)
    site.addsitedir(str(packages))
    sys.path[:] = [str(packages), *(p for p in sys.path if p != str(packages))]
    os.environ["PYTHONPATH"] = os.pathsep.join(
        p for p in (str(packages), os.environ.get("PYTHONPATH", "")) if p
    )


def _prepend(directories: list[Path]) -> None:
    added = list(dict.fromkeys(str(p) for p in directories))
    sys.path[:] = added + [p for p in sys.path if p not in added]
    os.environ["PYTHONPATH"] = os.pathsep.join([*added, *filter(None, [os.environ.get("PYTHONPATH", "")])])


def _integer(variables: Mapping[str, str], name: str, default: int) -> int:
    text = variables.get(name, "").strip()
    if not text:
        return default
    try:
        return int(text)
    except ValueError as error:
        raise ServingError(f"{name} must be a whole number, not '{text}'.") from error
