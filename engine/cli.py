"""The commands of ``mlconsole engine``."""

from __future__ import annotations

import argparse
import difflib
import ipaddress
import itertools
import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from engine import __version__, settings
from engine.layout import Layout

NOT_RUNNING = 3


class Failure(Exception):
    """A command cannot do what it was asked; the text says why."""


class Refusal(Exception):
    """A command line that cannot be understood: the sentence that says why, and the command whose help tells more."""

    def __init__(self, sentence: str, command: str) -> None:
        super().__init__(sentence)
        self.command = command


class _Parser(argparse.ArgumentParser):
    """Raises `Refusal`, in the words of the other commands, instead of printing the usage."""

    def error(self, message: str) -> NoReturn:
        if found := re.search(r"invalid choice: '(.*)' \(choose from (.*)\)", message):
            name, known = found[1], re.findall(r"'([^']+)'", found[2])
            near = difflib.get_close_matches(name, known, 1)
            there = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
            about = message.partition(":")[0].removeprefix("argument ")
            what = "No such command" if about == "COMMAND" else f"{about}: there is no"
            message = f"{what} {name!r}. {there}"
        raise Refusal(message if message.endswith((".", "?")) else f"{message}.", self.prog)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the result is the process's exit status: 0, 1 failed, 2 wrong usage, 3 not running."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    try:
        options, left = _parser().parse_known_args(given)
        if left:
            kind = "option" if left[0].startswith("-") else "argument"
            raise Refusal(f"No such {kind} {left[0]!r}.", f"mlconsole engine {options.command}")
    except Refusal as refusal:
        _tell(str(refusal), f"`{refusal.command} --help` tells how it is used.", "usage", as_json)
        return 2
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader (head, less) left: that is no failure. Python must not complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Failure as error:
        text = str(error)
        _tell(text if text.endswith((".", ")")) else f"{text}.", "", "engine", as_json)
        return 1
    except OSError as error:  # a full disk, a folder without rights
        where = f"{error.filename}: " if error.filename else ""
        _tell(f"{where}{error.strerror or error}.", "", type(error).__name__, as_json)
        return 1
    return code


def _tell(sentence: str, remedy: str, code: str, as_json: bool) -> None:
    """A failure as all commands tell it."""
    if as_json:
        print(json.dumps({"error": sentence, "remedy": remedy, "code": code}, ensure_ascii=False), flush=True)
    else:
        print(f"Error: {sentence} {remedy}".rstrip(), file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="mlconsole engine", description="The embedded SageMaker of this machine.")
    parser.add_argument("--version", action="version", version=f"mlconsole engine {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    place = _Parser(add_help=False)
    place.add_argument(
        "--data-dir",
        type=Path,
        default=os.environ.get("MLCONSOLE_ENGINE_DIR") or None,
        help="where the engine keeps everything (default: $MLCONSOLE_ENGINE_DIR)",
    )
    start = _Parser(add_help=False)
    _add_engine_options(start)

    serve = commands.add_parser("serve", parents=[place, start], help="run the engine in the foreground")
    serve.add_argument("--background", action="store_true", help=argparse.SUPPRESS)
    serve.set_defaults(run=_serve)

    begin = commands.add_parser(
        "start", parents=[place, start], help="start the engine in the background, unless it runs"
    )
    begin.add_argument("--json", action="store_true", help="print a JSON document")
    begin.set_defaults(run=_start)

    stop = commands.add_parser("stop", parents=[place], help="end the engine; training jobs go on behind it")
    stop.add_argument(
        "--timeout", type=float, default=20.0, help="seconds until it is killed (default: %(default)s)"
    )
    stop.add_argument("--json", action="store_true", help="print a JSON document")
    stop.set_defaults(run=_stop)

    status = commands.add_parser(
        "status", parents=[place], help="tell whether it runs (exit status 0) or not (3)"
    )
    status.add_argument("--json", action="store_true", help="print a JSON document")
    status.set_defaults(run=_status)

    logs = commands.add_parser("logs", parents=[place], help="print the engine's own log")
    logs.add_argument(
        "-n", "--lines", type=int, default=50, help="how many lines from the end (default: %(default)s)"
    )
    logs.add_argument("-f", "--follow", action="store_true", help="go on printing lines as they come")
    logs.add_argument("--json", action="store_true", help="print a JSON object per line of the log")
    logs.set_defaults(run=_logs)

    env = commands.add_parser(
        "env", parents=[place, start], help="print the exports that point AWS clients to the engine"
    )
    env.add_argument(
        "--shell", choices=("posix", "fish", "powershell"), help="syntax of the exports (default: by $SHELL)"
    )
    env.add_argument("--json", action="store_true", help="print a JSON document instead")
    env.add_argument(
        "--unset", action="store_true", help="print the commands that remove the variables again"
    )
    env.set_defaults(run=_env)

    reset = commands.add_parser(
        "reset", parents=[place], help="delete every job, model, endpoint, object, log and metric"
    )
    reset.add_argument("--yes", action="store_true", help="do not ask")
    reset.add_argument("--json", action="store_true", help="print a JSON document")
    reset.set_defaults(run=_reset)
    return parser


def _add_engine_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="default: the last one when it is free, else any")
    parser.add_argument("--account-id", default="", help="12 digits (default: random, kept)")
    parser.add_argument(
        "--access-key", default="", help="a fixed access key, with --secret-key (default: random, kept)"
    )
    parser.add_argument("--secret-key", default="", help="a fixed secret key, with --access-key")
    parser.add_argument("--region", default=settings.DEFAULT_REGION, help="default: %(default)s")
    parser.add_argument(
        "--time-scale",
        type=float,
        default=0.01,
        help="factor on the waits that AWS declares (default: %(default)s)",
    )
    parser.add_argument(
        "--test-mode", action="store_true", help="let POST /_engine/reset wipe everything, unsigned"
    )


def _layout(options: argparse.Namespace) -> Layout:
    if options.data_dir is None:
        raise Failure("say where the engine keeps its data, with --data-dir or MLCONSOLE_ENGINE_DIR")
    return Layout(Path(options.data_dir).expanduser().absolute())


def _check(options: argparse.Namespace) -> None:
    """Raise `Failure` for an option that cannot be."""
    host = "127.0.0.1" if options.host == "localhost" else options.host
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise Failure(
            f"--host {options.host}: the engine runs other people's code and only listens on loopback (127.0.0.1, ::1)"
        )
    options.host = host
    if not 0 <= options.port <= 65535:
        raise Failure(f"--port {options.port}: a port lies between 0 and 65535")
    if not 0 <= options.time_scale < 1e6:
        raise Failure(f"--time-scale {options.time_scale}: it must be 0 or more")


def _serve(options: argparse.Namespace) -> int:
    from engine import credentials, journal, server

    layout = _layout(options)
    _check(options)
    try:
        layout.prepare()
        if options.background:
            journal.to_file(layout.log)
        else:
            journal.to_terminal()
        with server.owned(layout.lock):
            who = credentials.load(
                layout.credentials,
                account_id=options.account_id,
                access_key=options.access_key,
                secret_key=options.secret_key,
            )
            listener = server.bind_stable(options.host, options.port, layout.port)
            chosen = settings.Settings(
                data_dir=layout.root,
                account_id=who.account_id,
                access_key=who.access_key,
                secret_key=who.secret_key,
                host=options.host,
                port=listener.getsockname()[1],
                region=options.region,
                time_scale=options.time_scale,
                test_mode=options.test_mode,
            )
            server.serve(chosen, listener, lambda url: None if options.background else print(url, flush=True))
    except (server.Busy, server.PortTaken, ValueError, OSError) as error:
        raise Failure(_told(error)) from error
    return 0


def _ensure(options: argparse.Namespace) -> tuple[Any, bool]:
    """The connection of the running engine, started when need be."""
    from engine import credentials, daemon

    layout = _layout(options)
    _check(options)
    try:
        found = daemon.current(layout)
        if found is not None:
            return found, False
        layout.prepare()
        # Through the credentials file, not the command line: other users of the machine can read the latter.
        credentials.load(
            layout.credentials,
            account_id=options.account_id,
            access_key=options.access_key,
            secret_key=options.secret_key,
        )
        passed = ["--host", options.host, "--port", str(options.port), "--region", options.region]
        passed += ["--time-scale", str(options.time_scale), *(["--test-mode"] if options.test_mode else [])]
        return daemon.start(layout, passed)
    except (daemon.DaemonError, ValueError, OSError) as error:
        raise Failure(_told(error)) from error


def _told(error: Exception) -> str:
    """An error's text; for one about a file, the file, what is wrong with it, and where to go instead."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{os.fsdecode(error.filename)}: {error.strerror}. Another folder can be given with --data-dir"
    return str(error)


def _start(options: argparse.Namespace) -> int:
    connection, started = _ensure(options)
    if options.json:
        public = {name: value for name, value in asdict(connection).items() if name != "secret_key"}
        print(json.dumps({**public, "started_now": started}))
    else:
        print(connection.url)
        said = "started" if started else "already runs"
        print(
            f"The engine {said} (process {connection.pid}, data in {connection.data_dir}).", file=sys.stderr
        )
    return 0


def _stop(options: argparse.Namespace) -> int:
    from engine import daemon

    layout = _layout(options)
    counts = daemon.counts(layout)
    left, paused = counts["training_jobs_in_progress"], counts["transform_jobs_in_progress"]
    try:
        stopped = daemon.stop(layout, options.timeout)
    except daemon.DaemonError as error:
        raise Failure(str(error)) from error
    if options.json:
        told = {
            "stopped": stopped is not None,
            "pid": stopped[0] if stopped else None,
            "training_jobs_left_running": left,
            "transform_jobs_paused": paused,
        }
        print(json.dumps({**told, "killed": bool(stopped and stopped[1])}))
        return 0
    if stopped is None:
        print("The engine does not run.")
        return 0
    pid, killed = stopped
    print(f"The engine (process {pid}) {'did not end in time and was killed' if killed else 'stopped'}.")
    if left:
        jobs = "1 training job goes" if left == 1 else f"{left} training jobs go"
        print(f"{jobs} on in the background; the engine finds them again when it starts.")
    if paused:
        jobs = "1 transform job goes" if paused == 1 else f"{paused} transform jobs go"
        print(f"{jobs} on with the objects that are left when the engine starts again.")
    return 0


def _status(options: argparse.Namespace) -> int:
    from engine import daemon

    told = daemon.describe(_layout(options))
    if options.json:
        print(json.dumps(told))
    elif not told["running"]:
        held = told.get("unresponsive_pid")
        print(
            f"not running (process {held} holds the data directory and does not answer)"
            if held
            else "not running"
        )
        print(f"data      {told['data_dir']}")
    else:
        minutes, seconds = divmod(int(told["uptime_seconds"]), 60)
        hours, minutes = divmod(minutes, 60)
        rss = f", {told['rss_bytes'] / 2**20:.0f} MB" if told["rss_bytes"] else ""
        counts = told["counts"]
        print(
            f"running   {told['url']}  (process {told['pid']}, up {hours}:{minutes:02}:{seconds:02}{rss}, {told['version']})"
        )
        print(f"account   {told['account_id']}  {told['region']}  {told['role_arn']}")
        print(
            f"jobs      {counts['training_jobs']} training ({counts['training_jobs_in_progress']} in progress), "
            f"{counts['transform_jobs']} transform ({counts['transform_jobs_in_progress']} in progress)"
        )
        print(
            f"endpoints {counts['endpoints']} ({counts['endpoints_in_service']} in service), {counts['models']} models"
        )
        print(f"data      {told['data_dir']}")
    return 0 if told["running"] else NOT_RUNNING


def _logs(options: argparse.Namespace) -> int:
    from engine import journal

    log = _layout(options).log
    if not log.exists() and not options.follow:
        raise Failure(f"there is no log yet ({log}): the engine was never started in the background")
    lines = itertools.chain(journal.tail(log, options.lines), journal.follow(log) if options.follow else ())
    for line in lines:
        text = json.dumps(journal.read(line), ensure_ascii=False) if options.json else line
        print(text, flush=options.follow)
    return 0


def _env(options: argparse.Namespace) -> int:
    from engine import environment

    named = Path(os.environ.get("SHELL", "")).name
    shell = options.shell or ("fish" if named == "fish" else "posix")
    if options.unset:
        print(environment.removal(shell, _layout(options)), end="")
        return 0
    connection, _ = _ensure(options)
    values = environment.variables(connection, _layout(options))
    if options.json:
        print(json.dumps({"set": values, "unset": list(environment.UNSET)}))
    else:
        print(environment.exports(values, shell), end="")
    return 0


def _reset(options: argparse.Namespace) -> int:
    from engine import daemon

    layout = _layout(options)
    if not options.yes:
        if not sys.stdin.isatty():
            raise Failure("reset deletes everything in the engine; say --yes when nobody can be asked")
        if options.json:
            raise Failure("reset with --json asks nobody; say --yes")
        counts = daemon.counts(layout)
        print(
            f"{layout.root}: {counts['training_jobs']} training jobs, {counts['transform_jobs']} transform jobs, "
            f"{counts['models']} models, {counts['endpoints']} endpoints,"
        )
        answer = input("all objects, logs and metrics will be deleted. Type 'reset' to go on: ")
        if answer.strip() != "reset":
            print("Nothing was deleted.")
            return 1
    try:
        found = daemon.running(layout)
        connection = found or daemon.start(layout, [])[0]
        daemon.reset(connection)
        if found is None:
            daemon.stop(layout)
    except daemon.DaemonError as error:
        raise Failure(str(error)) from error
    if options.json:
        print(json.dumps({"reset": True, "data_dir": str(layout.root)}))
        return 0
    print("Everything in the engine was deleted; the account and its keys stay.")
    return 0
