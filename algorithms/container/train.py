"""The container's ``train`` command: the contract of SageMaker's training toolkit for script mode.

A Python script runs in this very process, which saves starting a second interpreter; it is ``__main__`` there, with its own
``sys.argv`` and ``sys.path[0]``, as if Python had been started with it. Modules that not every job needs are imported where they are used.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, NoReturn

from algorithms.container import training_environment
from algorithms.container.training_environment import TrainingEnvironment, arguments

_FAILURE_LIMIT = 1024


class ToolkitError(Exception):
    """Something around the user's script failed; ``kind`` is the toolkit's name for it."""

    def __init__(self, kind: str, message: str, code: int = 1, command: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.code = code
        self.command = command

    def report(self) -> str:
        """The text of /opt/ml/output/failure."""
        if not self.command:
            return f"{self.kind}: {self}"
        return f'{self.kind}:\nExitCode {self.code}\nErrorMessage "{self}"\nCommand "{self.command}"'


def main(base: Path) -> int:
    """Prepare the code, run it, and leave the reason in ``output/failure`` when it fails; the exit status."""
    try:
        environment = training_environment.read(base)
        _place_code(environment)
        run = _entry_point(environment)
        return run()
    except ToolkitError as error:
        print(error.report(), file=sys.stderr, flush=True)
        write_failure(base, error.report())
        return error.code
    except (OSError, ValueError) as error:
        text = f"ConfigurationError: the job's configuration cannot be read: {error}"
        print(text, file=sys.stderr, flush=True)
        write_failure(base, text)
        return 1


def write_failure(base: Path, text: str) -> None:
    """Write ``output/failure``, unless the script has said more there already."""
    path = base / "output" / "failure"
    try:
        if not path.exists() or not path.stat().st_size:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text[: 4 * _FAILURE_LIMIT], errors="replace")
    except OSError as error:
        print(f"{path} cannot be written: {error}", file=sys.stderr, flush=True)


def _place_code(environment: TrainingEnvironment) -> None:
    """Unpack a local source archive; an S3 one lies in ``code`` when the job starts."""
    source = environment.submit_directory
    code = environment.code
    code.mkdir(parents=True, exist_ok=True)
    if not source or source.startswith("s3://"):
        return
    path = Path(source)
    if path.is_dir():
        if path.resolve() != code.resolve():
            import shutil

            shutil.copytree(path, code, dirs_exist_ok=True)
        return
    import tarfile

    try:
        with tarfile.open(path) as archive:
            archive.extractall(code, filter="data")
    except (OSError, tarfile.TarError) as error:
        raise ToolkitError(
            "ClientError", f"The source code '{source}' cannot be unpacked: {error}"
        ) from error


def _entry_point(environment: TrainingEnvironment) -> Callable[[], int]:
    """Install what the code asks for and set the process up for it; the call that runs it."""
    program, code = environment.program, environment.code
    if not program:
        raise ToolkitError(
            "ClientError",
            "No script to run: the hyperparameter sagemaker_program does not name an entry point.",
        )
    os.chdir(code)
    variables = environment.variables()
    os.environ.update(variables)
    os.environ["PYTHONPATH"] = ":".join([str(code), *filter(None, [os.environ.get("PYTHONPATH", "")])])
    words = arguments(environment.hyperparameters)
    if (code / "requirements.txt").is_file():
        _pip(["-r", "requirements.txt"], "InstallRequirementsError")
    if (code / "setup.py").is_file() and program.endswith(".py"):
        # Built with the setuptools that is here: an isolated build would download it for every job.
        _pip([".", "--no-build-isolation"], "InstallModuleError")
        command = [sys.executable, "-m", environment.module.replace("/", "."), *words]
        return lambda: _told(command, lambda: _run_module(command[2:]))
    entry = (code / program).resolve()
    if not entry.is_file() or not entry.is_relative_to(code.resolve()):
        raise ToolkitError("ClientError", f"The entry point '{program}' is not in the source code.", code=2)
    if program.endswith(".py"):
        command = [sys.executable, program, *words]
        return lambda: _told(command, lambda: _run_script(environment.base, command))
    entry.chmod(entry.stat().st_mode | 0o111)
    command = ["/bin/sh", "-c", " ".join([f"./{program}", *(_quoted(word) for word in words)])]
    return lambda: _told(command, lambda: _exec(command))


def _quoted(word: str) -> str:
    import shlex

    return shlex.quote(word)


def _pip(what: Sequence[str], kind: str) -> None:
    """Install into the job's own environment.

    Raises:
        ToolkitError: pip failed; its last lines are the message.
    """
    import subprocess

    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *what]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    assert process.stdout is not None
    last: list[str] = []
    for line in process.stdout:
        print(line, end="", flush=True)
        last = [*last[-4:], line.strip()]
    if process.wait() != 0:
        errors = [line for line in last if line.startswith("ERROR")] or last
        raise ToolkitError(kind, "\n".join(errors), process.returncode, " ".join(command))
    import importlib
    import site
    import sysconfig

    # Path files that came with a package are read as at the start of an interpreter, folders are looked at anew.
    site.addsitedir(sysconfig.get_path("purelib"))
    importlib.invalidate_caches()


def _told(command: list[str], run: Callable[[], int]) -> int:
    print(f"Invoking script with the following command:\n\n{' '.join(command)}\n\n", flush=True)
    return run()


def _exec(command: list[str]) -> NoReturn:
    os.execvp(command[0], command)


def _run_script(base: Path, command: list[str]) -> int:
    """Run a script as ``python script arguments`` does."""
    path = Path.cwd() / command[1]
    try:
        code = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        _fail(base, command, error, None)
        return 1
    module = ModuleType("__main__")
    module.__dict__.update(
        __file__=str(path), __builtins__=__builtins__, __loader__=None, __spec__=None, __cached__=None
    )
    sys.modules["__main__"] = module
    sys.argv = command[1:]
    # Started with -P this interpreter has no script folder on its path, and the script's comes first.
    sys.path.insert(0, str(path.parent))
    try:
        exec(code, module.__dict__)
    except SystemExit as leaving:
        status = _status(leaving.code)
        if status:
            text = str(leaving.code) if isinstance(leaving.code, str) else ""
            write_failure(
                base, ToolkitError("ExecuteUserScriptError", text, status, " ".join(command)).report()
            )
        raise
    except BaseException as error:
        # The first frame of the traceback is this function's.
        _fail(base, command, error, error.__traceback__.tb_next if error.__traceback__ else None)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _status(code: Any) -> int:
    if code is None:
        return 0
    return code & 0xFF if isinstance(code, int) else 1


def _fail(base: Path, command: list[str], error: BaseException, where: TracebackType | None) -> None:
    """Print the traceback as Python does and keep its end as the reason."""
    import traceback

    sys.stdout.flush()
    sys.excepthook(type(error), error.with_traceback(where), where)
    sys.stderr.flush()
    frames = traceback.extract_tb(where)
    raised = f"{frames[-1].line}\n " if frames and frames[-1].line else ""
    message = raised + "".join(traceback.format_exception_only(type(error), error)).strip()
    write_failure(base, ToolkitError("ExecuteUserScriptError", message, 1, " ".join(command)).report())


def _run_module(words: list[str]) -> int:
    """Run an installed module as ``python -m module arguments``, in a fresh interpreter that sees what was installed."""
    os.execv(sys.executable, [sys.executable, "-m", *words])


if __name__ == "__main__":
    # What there is to say of the framework, for example that it is of another version than the image's.
    for said in sys.argv[1:]:
        print(said, flush=True)
    sys.exit(main(Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))))
