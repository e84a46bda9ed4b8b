"""What works on this machine, what does not, and what to do about it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from workflows import embedded, locations, mfa
from workflows.accounts import region_given
from workflows.configuration import Configuration
from workflows.explain import explain

State = Literal["ok", "note", "warning", "bad"]

LEAST_PYTHON = (3, 11)
PACKAGES = ("boto3", "sagemaker", "torch", "scikit-learn", "pandas", "textual", "uvicorn")
LOW_DISK, NO_DISK = 5e9, 1e9
LOW_MEMORY, NO_MEMORY = 2e9, 0.7e9
"""Bytes. A training job with PyTorch takes about 0.4 GB, an endpoint's worker about as much."""
STS_TIMEOUT = 4


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: what was looked at, how it is, in a sentence, and what to do (empty: nothing)."""

    name: str
    state: State
    text: str
    remedy: str = ""


def diagnose(configuration: Configuration) -> Iterator[Finding]:
    """Look at everything, one finding after the other. A check that fails is a finding itself."""
    caller = _Caller(configuration)
    checks: tuple[tuple[str, Callable[[], Finding]], ...] = (
        ("python", _python),
        ("packages", _packages),
        ("terminal", _terminal),
        ("configuration", lambda: _configuration(configuration)),
        ("clipboard", _clipboard),
        ("folders", _folders),
        ("disk", _disk),
        ("memory", _memory),
        ("containers", _containers),
        ("engine", _engine),
        ("data sets", lambda: _datasets(configuration)),
        ("AWS", lambda: _aws(configuration, caller)),
        ("role", lambda: _execution_role(configuration, caller)),
    )
    for name, check in checks:
        try:
            yield check()
        except Exception as error:
            problem = explain(error, configuration.target)
            yield Finding(name, "bad", problem.sentence, problem.remedy)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    text = f"Python {version} at {sys.executable}"
    if sys.version_info < LEAST_PYTHON:
        return Finding("python", "bad", text, "mlconsole needs Python 3.11 or newer.")
    return Finding("python", "ok", text)


def _packages() -> Finding:
    from importlib import metadata

    found, missing = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding(
            "packages", "bad", f"Missing: {', '.join(missing)}.", "Install again: `pip install mlconsole`."
        )
    return Finding("packages", "ok", ", ".join(found))


def _terminal() -> Finding:
    term = os.environ.get("TERM", "")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return Finding(
            "terminal", "note", "Not a terminal here: the console cannot be opened, all commands work."
        )
    columns, lines = shutil.get_terminal_size()
    via = [
        name
        for name, variable in (("SSH", "SSH_CONNECTION"), ("tmux", "TMUX"), ("screen", "STY"))
        if variable in os.environ
    ]
    text = f"{term or 'TERM is not set'}, {columns} × {lines}, {_colours(os.environ)}" + (
        f", through {' and '.join(via)}" if via else ""
    )
    if term in ("", "dumb", "unknown"):
        return Finding("terminal", "bad", text, "Set TERM, for example to xterm-256color.")
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    if encoding != "utf8":
        return Finding(
            "terminal",
            "warning",
            f"{text}, {sys.stdout.encoding}",
            "Use a UTF-8 locale: `export LANG=C.UTF-8`.",
        )
    if columns < 80 or lines < 24:
        return Finding("terminal", "warning", text, "The screens need 80 × 24.")
    return Finding("terminal", "ok", text)


def _clipboard() -> Finding:
    """Whether what is copied reaches the person's own machine (OSC 52), and notifications of the desktop too (OSC 9)."""
    if "TMUX" in os.environ:
        kept, passes = _tmux_option("set-clipboard"), _tmux_option("allow-passthrough", "-gwv")
        if kept == "off" and passes not in ("on", "all"):
            return Finding(
                "clipboard",
                "warning",
                "tmux keeps copied text from your own clipboard.",
                "Let it through: `tmux set-option -g set-clipboard on`.",
            )
        if passes not in ("on", "all"):
            return Finding(
                "clipboard",
                "note",
                "Copying goes through tmux (OSC 52); notifications of the desktop do not, the bell does.",
                "`tmux set-option -g allow-passthrough on` lets them through.",
            )
        return Finding("clipboard", "ok", "Copying and notifications go through tmux (OSC 52, OSC 9).")
    term = os.environ.get("TERM", "")
    if "STY" not in os.environ and term.startswith("screen") and not term.startswith("screen."):
        return Finding(
            "clipboard",
            "note",
            f"TERM is {term}, and nothing tells whether that is GNU screen or a tmux at the other end: a short text is copied through either, "
            "one of more than about 180 characters through GNU screen only, and it is kept in a file, too.",
            "If it is tmux: `set -g default-terminal tmux-256color` in its configuration tells.",
        )
    if "STY" in os.environ or term.startswith("screen"):
        return Finding(
            "clipboard",
            "note",
            "Copying goes through GNU screen in pieces (OSC 52), if the terminal around it takes it; notifications of the desktop do "
            "not, the bell does.",
        )
    return Finding(
        "clipboard", "note", "Copying asks the terminal (OSC 52); most take it, some ask you or have it switched off."
    )  # fmt: skip


def _folders() -> Finding:
    """Whether everything that has to be written can be."""
    wrong = [
        f"{what} ({path})"
        for what, path, _ in locations.as_table()
        if not os.access(_existing(path if path.suffix != ".toml" else path.parent), os.W_OK)
    ]
    if wrong:
        return Finding(
            "folders", "bad", f"Cannot be written to: {', '.join(wrong)}.", f"Move them: `mlconsole where` names the variables, {locations.HOME} moves all."
        )  # fmt: skip
    return Finding("folders", "ok", f"Configuration, data, cache and state can be written to ({locations.state_dir()}, …).")  # fmt: skip


def _colours(environment: Mapping[str, str]) -> str:
    """How many colours programs take this terminal to have."""
    if environment.get("NO_COLOR"):
        return "no colours (NO_COLOR)"
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return "16.7 million colours"
    term = environment.get("TERM", "")
    return "256 colours" if "256" in term else "16 colours"


def _tmux_option(name: str, scope: str = "-gsv") -> str:
    """The value of a global option of the tmux around us (``-gsv`` of the server, ``-gwv`` of windows); empty when it does not tell."""
    try:
        done = subprocess.run(
            ["tmux", "show-options", scope, name], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def _configuration(configuration: Configuration) -> Finding:
    path = locations.config_file()
    text = f"target {configuration.target}, interface {configuration.interface}"
    if configuration.looks_only:
        text += ", read-only"
    elif configuration.read_only not in ("", "none"):
        text += f", read-only for {configuration.read_only}"
    return Finding(
        "configuration", "ok", f"{text}, from {path}" if path.exists() else f"{text}; no file at {path}"
    )


def _disk() -> Finding:
    folder = _existing(locations.store_dir())
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:.1f} GB free below {locations.store_dir()}"
    if not os.access(folder, os.W_OK):
        return Finding("disk", "bad", f"{folder} cannot be written to.", "Move it with MLCONSOLE_HOME.")
    if free < NO_DISK:
        return Finding("disk", "bad", text, "Make room, or move it with MLCONSOLE_HOME.")
    if free < LOW_DISK:
        return Finding("disk", "warning", text, "Models and data sets may fill it; MLCONSOLE_HOME moves it.")
    return Finding("disk", "ok", text)


def _memory() -> Finding:
    import psutil

    memory = psutil.virtual_memory()
    text = (
        f"{memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB available, {os.cpu_count() or 1} cores"
    )
    if memory.available < NO_MEMORY:
        return Finding("memory", "bad", text, "A training job with PyTorch does not fit; end other programs.")
    if memory.available < LOW_MEMORY:
        return Finding("memory", "warning", text, "Jobs will run one after the other.")
    return Finding("memory", "ok", text)


def _containers() -> Finding:
    """Whether a job gets an /opt/ml of its own. The engine tries it, in a process that is thrown away."""
    program = "from engine.jobs.launcher import namespaces_allowed; print(namespaces_allowed())"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )
    if done.stdout.strip() == "True":
        return Finding("containers", "ok", "Each job sees its own /opt/ml, through a mount namespace.")
    if done.stdout.strip() == "False":
        return Finding(
            "containers",
            "note",
            "Namespaces are not allowed here: /opt/ml is rewritten in each job's arguments and variables instead.",
            "Nothing has to be done; a script with a hard-coded /opt/ml path needs namespaces (sysctl kernel.unprivileged_userns_clone).",
        )
    said = (done.stderr.strip().splitlines() or ["no answer"])[-1]
    return Finding(
        "containers", "bad", f"Jobs cannot be started: {said}", "Install again: `pip install mlconsole`."
    )


def _engine() -> Finding:
    found = embedded.connection()
    silent = embedded.recorded() if found is None else None
    if silent is not None and Path(f"/proc/{silent.pid}").exists():
        return Finding(
            "engine",
            "bad",
            f"The embedded SageMaker (process {silent.pid}) does not answer at {silent.url}.",
            "`mlconsole engine logs` tells why; `mlconsole engine stop` and `start` begin anew, nothing is lost.",
        )
    if found is None:
        text = f"The embedded SageMaker does not run; it starts by itself when it is needed (data in {locations.engine_dir()})."
        return Finding("engine", "note", text)
    return Finding(
        "engine",
        "ok",
        f"Runs at {found.url} (process {found.pid}, account {found.account_id}, {found.region}).",
    )


def _datasets(configuration: Configuration) -> Finding:
    folder = Path(configuration.data_dir).expanduser() if configuration.data_dir else locations.datasets_dir()
    if folder is None:
        return Finding(
            "data sets",
            "note",
            "MLCONSOLE_DATA_DIR is not set: studies use what you fetched or imported, else synthetic samples "
            "(`mlconsole data ls`).",
        )
    if not folder.is_dir():
        return Finding(
            "data sets",
            "bad",
            f"MLCONSOLE_DATA_DIR names {folder}, which is no folder.",
            "Correct or unset it.",
        )
    return Finding("data sets", "ok", f"Real data sets in {folder}.")


class _Caller:
    """Who AWS says that this is: asked once, for all findings that need it."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._session: Any = None
        self._said: dict[str, Any] | Exception | None = None

    @property
    def session(self) -> Any:
        """A boto3 session as AWS clients find it."""
        if self._session is None:
            import boto3
            import botocore.session

            core = botocore.session.Session(profile=self._configuration.profile or None)
            mfa.prepare(core)
            self._session = boto3.Session(
                region_name=region_given(self._configuration.region), botocore_session=core
            )
        return self._session

    def client(self, service: str) -> Any:
        """A client that gives up soon: somebody waits for it."""
        return self.session.client(
            service, region_name=self.session.region_name or "us-east-1", config=self.config
        )

    @property
    def config(self) -> Any:
        """botocore options of one short attempt."""
        from botocore.config import Config

        return Config(
            connect_timeout=STS_TIMEOUT, read_timeout=STS_TIMEOUT, retries={"total_max_attempts": 1}
        )

    def identity(self) -> dict[str, Any]:
        """The answer of GetCallerIdentity; a call that failed fails again without being made."""
        if self._said is None:
            try:
                self._said = dict(self.client("sts").get_caller_identity())
            except Exception as error:
                self._said = error
        if isinstance(self._said, Exception):
            raise self._said
        return self._said


def _aws(configuration: Configuration, caller: _Caller) -> Finding:
    """The credentials that --target aws would use. They are looked for without asking the instance metadata service
    unless AWS is the target, because that takes seconds on other machines."""
    wanted = configuration.target == "aws"
    if not wanted and "AWS_EC2_METADATA_DISABLED" not in os.environ:
        os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    session = caller.session
    if session.get_credentials() is None:
        if wanted:
            return Finding(
                "AWS",
                "bad",
                "There are no AWS credentials.",
                "Run `aws configure` or `aws sso login`, or name --profile.",
            )
        return Finding("AWS", "note", "No AWS credentials; they are needed for --target aws only.")
    region = session.region_name
    try:
        arn = caller.identity()["Arn"]
    except Exception as error:
        problem = explain(error, "aws")
        return Finding(
            "AWS",
            "bad" if wanted else "note",
            f"Credentials are there, but: {problem.sentence}",
            problem.remedy,
        )
    if not region:
        return Finding(
            "AWS",
            "bad" if wanted else "note",
            f"{arn}, but no region.",
            "Set AWS_REGION or --region.",
        )
    through = f" through {os.environ['AWS_ENDPOINT_URL']}" if os.environ.get("AWS_ENDPOINT_URL") else ""
    return Finding("AWS", "ok", f"{arn} in {region}{through}")


_ROLE = re.compile(r"^arn:aws(-[a-z]+)*:iam::\d{12}:role/[\w+=,.@/-]{1,512}$")
"""As IAM has them: a path may stand before the name."""


def _execution_role(configuration: Configuration, caller: _Caller) -> Finding:
    """The role that jobs and models would run under: how it is written, and on AWS whether it is there and trusts SageMaker."""
    role = configuration.role
    if role.startswith("arn:") and not _ROLE.match(role):
        return Finding(
            "role", "bad", f"{role!r} is no ARN of a role.", "Write arn:aws:iam::ACCOUNT:role/NAME, or the name alone."
        )  # fmt: skip
    if configuration.target != "aws":
        return Finding("role", "note", f"{role or 'The engine has one of its own'}; roles bind nobody on the embedded SageMaker.")  # fmt: skip
    from workflows.failures import WorkflowError
    from workflows.platform import execution_role, trusts_sagemaker

    try:
        identity = caller.identity()
    except Exception:  # said above, with the remedy
        return Finding("role", "note", "It is looked at when AWS has told who this is.")
    try:
        arn = execution_role(caller.session, identity, configuration, caller.config)
    except WorkflowError as error:
        return Finding(
            "role", "warning", str(error), "" if error.problem else "Looking and deleting take none."
        )
    try:
        found = caller.client("iam").get_role(RoleName=arn.rpartition("/")[2])["Role"]
    except Exception as error:
        problem = explain(error, "aws")
        if problem.code == "NoSuchEntity":
            return Finding(
                "role", "bad", f"There is no role {arn}.", "Create it, or give --role another one."
            )
        return Finding("role", "note", f"{arn}; it cannot be looked at: {problem.sentence}")
    if not trusts_sagemaker(found):
        return Finding(
            "role", "bad", f"SageMaker may not assume {arn}.", "Let its trust policy allow sts:AssumeRole to sagemaker.amazonaws.com."
        )  # fmt: skip
    return Finding("role", "ok", f"{arn}, which SageMaker may assume.")


def _existing(folder: Path) -> Path:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder
