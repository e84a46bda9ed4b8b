"""The command line as a whole: help, failures, small commands, what its start imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from console import __version__
from console.__main__ import main
from console.cli import output
from tests.console.command import COMMAND, run
from workflows import locations

ROOT = Path(__file__).parents[2]


def test_the_version_is_that_of_the_distribution() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert __version__ == project["version"]
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"mlconsole {__version__}\n")


def test_help_names_every_command_without_importing_one() -> None:
    program = "import sys; from console.__main__ import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    for name in (
        "run",
        "runs",
        "studies",
        "jobs",
        "endpoints",
        "engine",
        "doctor",
        "where",
        "config",
        "completion",
    ):
        assert f"\n  {name} " in done.stdout
    loaded = set(done.stderr.split())
    assert "console.cli.root" in loaded
    assert not loaded & {
        "console.cli.jobs",
        "console.cli.run",
        "rich",
        "textual",
        "boto3",
        "botocore",
        "pydantic",
        "workflows.runs",
    }


def test_the_help_of_every_command_and_subcommand_can_be_had(capsys: pytest.CaptureFixture[str]) -> None:
    import click

    from console.cli.root import cli

    def visit(command: click.Command, path: list[str]) -> None:
        if path != ["engine"]:  # its help is the engine's own
            assert main([*path, "--help"]) == 0
            assert "Usage: mlconsole " + " ".join(path) in capsys.readouterr().out
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                assert found is not None
                visit(found, [*path, name])

    context = click.Context(cli)
    for name in cli.list_commands(context):
        found = cli.get_command(context, name)
        assert found is not None
        visit(found, [name])


def test_without_a_terminal_it_says_how_it_is_used_and_fails() -> None:
    done = run()
    assert done.returncode == 2
    assert "Usage: mlconsole" in done.stdout
    assert "The console needs a terminal. Here, try: mlconsole run moons" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["jbos"], "There is no command 'jbos'. Did you mean 'jobs'?"),
        (["jobs", "ls", "--nonsense"], "--nonsense"),
        (["jobs", "ls", "--since", "yesterday"], "'yesterday' is no time: write 60s, 90m, 12h or 7d."),
        (["--target", "mars", "where"], "'mars' is not one of"),
        (["run"], "Missing argument 'STUDY'"),
        (["run", "moons", "--answer", "deploy"], "write QUESTION=CHOICE"),
        (["where", "money"], "There are: config, keymap, themes, data, engine, cache, state, runs,"),
        (["endpoints", "invoke", "x"], "Give the payload with --data or with --file, not both."),
        (["run", "moons", "--set", "epochs=many"], "epochs cannot be 'many': it is a whole number"),
        (["run", "moons", "--set", "epoch=3"], "There is no parameter 'epoch'."),
        (["run", "moons", "--set", "epochs"], "'epochs' is not an assignment."),
    ],
)
def test_wrong_usage_is_one_sentence_and_status_2(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Error: ") and told in err
    assert err.count("\n") == 1


def test_failures_are_one_sentence_and_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "show", "nope"]) == 1
    assert capsys.readouterr().err == "Error: There is no run yet. `mlconsole run moons` starts one.\n"
    assert main(["studies", "show", "nope"]) == 1
    assert "There is no study 'nope'. Studies: moons" in capsys.readouterr().err


def test_a_home_that_cannot_be_written_to_is_named_with_the_variable_that_moves_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way of a folder")
    done = run("run", "moons", env={"MLCONSOLE_HOME": str(tmp_path / "file")})
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert str(tmp_path / "file") in done.stderr and "MLCONSOLE_HOME" in done.stderr


def test_a_user_without_a_home_is_told_what_to_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MLCONSOLE_HOME")
    monkeypatch.setenv("MLCONSOLE_STORE_DIR", "~nobody-of-this-name/store")
    assert main(["where"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "MLCONSOLE_HOME" in error


def test_with_json_failures_are_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "show", "nope", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "error": "There is no run yet.",
        "remedy": "`mlconsole run moons` starts one.",
        "code": "not-found",
    }
    assert main(["jobs", "ls", "--json", "--nonsense"]) == 2
    assert json.loads(capsys.readouterr().out)["code"] == "usage"


def test_with_json_a_place_is_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["where", "state", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"state": {"path": str(locations.state_dir()), "variable": "MLCONSOLE_STATE_DIR"}}


def test_what_nobody_foresaw_leaves_a_report_and_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(locations, "as_table", broken)
    assert main(["where"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("Error: Something unforeseen happened: ZeroDivisionError: a bug")
    (report,) = (locations.state_dir() / "crashes").iterdir()
    assert str(report) in err
    assert "in broken" in report.read_text()
    assert report.stat().st_mode & 0o777 == 0o600


def test_where_tells_every_folder_and_what_moves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLCONSOLE_RUNS_DIR", str(tmp_path / "elsewhere"))
    assert main(["where", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["runs"] == {"path": str(tmp_path / "elsewhere"), "variable": "MLCONSOLE_RUNS_DIR"}
    assert main(["where", "engine"]) == 0
    assert capsys.readouterr().out == f"{locations.engine_dir()}\n"


def test_flags_win_over_the_environment_and_that_over_the_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = locations.config_file()
    file.parent.mkdir(parents=True)
    file.write_text('target = "aws"\nregion = "eu-west-1"\nprofile = "lab"\nrole = "FromTheFile"\n')
    monkeypatch.setenv("MLCONSOLE_REGION", "eu-west-2")
    monkeypatch.setenv("MLCONSOLE_PROFILE", "work")
    assert main(["--region", "eu-north-1", "config", "show", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["target"] == {"value": "aws", "source": str(file)}
    assert told["role"] == {"value": "FromTheFile", "source": str(file)}
    assert told["profile"] == {"value": "work", "source": "MLCONSOLE_PROFILE"}
    assert told["region"] == {"value": "eu-north-1", "source": "--region"}
    assert told["interface"] == {"value": "low", "source": "default"}
    assert main(["--region", "eu-north-1", "config", "show", "--json", "--region", "us-west-2"]) == 0
    assert json.loads(capsys.readouterr().out)["region"]["value"] == "us-west-2"
    assert main(["config", "path"]) == 0
    assert capsys.readouterr().out == f"{file}\n"


def test_a_damaged_configuration_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    file = locations.config_file()
    file.parent.mkdir(parents=True)
    file.write_text('target = "mars"\n')
    assert main(["config", "show"]) == 2
    err = capsys.readouterr().err
    assert "target" in err and "mars" in err and str(file) in err


def test_a_glyph_that_the_output_cannot_hold_is_replaced() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run([COMMAND, "doctor"], capture_output=True, timeout=60, check=False, env=environment)
    assert b"? python " in done.stdout and done.stderr == b""


def test_a_study_is_described_with_its_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["studies", "ls", "--json"]) == 0
    found = {item["name"]: item for item in json.loads(capsys.readouterr().out)}
    assert found["moons"]["data"] == "generated" and found["moons"]["aws_dollars_at_most"] > 0
    assert found["moons"]["runs"] >= 0
    assert main(["studies", "show", "moons"]) == 0
    out = capsys.readouterr().out
    assert "Steps" in out and "epochs" in out and "--as-in-notebook" in out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_name_the_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert "_MLCONSOLE_COMPLETE" in capsys.readouterr().out


def test_the_shell_is_told_the_commands() -> None:
    words = {"COMP_WORDS": "mlconsole end", "COMP_CWORD": "1", "_MLCONSOLE_COMPLETE": "bash_complete"}
    assert run(env=words).stdout.split() == ["plain,endpoints"]


def test_doctor_tells_each_thing_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.delenv("MLCONSOLE_DATA_DIR", raising=False)
    main(["doctor", "--json"])
    told = json.loads(capsys.readouterr().out)
    findings = {item["name"]: item for item in told["findings"]}
    assert list(findings) == [
        "python", "packages", "terminal", "configuration", "keys", "themes", "views", "clipboard", "folders", "disk", "memory", "containers", "engine", "data sets", "AWS", "role",
    ]  # fmt: skip
    assert findings["python"]["state"] == "ok"
    assert findings["containers"]["state"] in ("ok", "note")
    assert "does not run; it starts by itself" in findings["engine"]["text"]
    assert findings["AWS"]["state"] == "note"

    assert main(["doctor", "--target", "aws"]) == 1
    out = capsys.readouterr().out
    assert "There are no AWS credentials." in out and "aws configure" in out
    monkeypatch.setenv("MLCONSOLE_DATA_DIR", str(tmp_path / "nowhere"))
    main(["doctor"])
    assert "which is no folder" in capsys.readouterr().out


def test_doctor_reads_a_persons_own_files_and_names_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    from console.ownfiles import findings

    assert [finding.state for finding in findings()] == ["ok", "ok", "ok"]
    for path, text in (
        (locations.config_file(), "[engine]\nport = 70000\n"),
        (locations.keymap_file(), '[jobs]\n\nstop = "Hyper+X"\n'),
        (locations.themes_dir() / "mine.toml", 'base = "dark"\nprimary = "no colour"\n'),
        (locations.memory_file(), '{\n "views": {\n  "jobs": {\n   "mine": {"filter": "[a"}}}}'),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert main(["doctor", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)["findings"]
    wrong = {item["name"]: (item["state"], item["text"]) for item in told if item["name"] in ("configuration", "keys", "themes", "views")}  # fmt: skip
    assert all(item["remedy"] for item in told if item["name"] in wrong)
    for name, state, where in (
        ("configuration", "bad", "config.toml, line 2: engine.port cannot be 70000"),
        ("keys", "bad", "line 3: 'Hyper+X' is no key"),
        ("themes", "bad", "mine.toml, line 2: 'no colour' is no colour"),
        ("views", "warning", "line 4: view mine of jobs: '[a' is no regular expression"),
    ):
        assert wrong[name][0] == state and where in wrong[name][1], wrong[name]
    views = {
        "jobs": {"mine": {"columns": ["name", "length", "colour"], "sort": "result", "descending": True}},
        "leftovers": {"old": {"columns": ["name", "why"], "sort": "age", "descending": True}},
        "trials": {"deep": {"columns": ["name", "max_depth"], "sort": "max_depth", "descending": False}},
        "audit": {"mine": {"sort": "whom", "descending": False}},
    }
    locations.memory_file().write_text(json.dumps({"views": views}, indent=1), encoding="utf-8")
    told_of = list(findings())[-1]
    assert told_of.state == "warning" and "leftovers" not in told_of.text and "trials" not in told_of.text
    assert "line 4: view mine of jobs shows 'length', 'colour', which are no columns there" in told_of.text
    assert "line 4: view mine of jobs is sorted by 'result', which comes later" in told_of.text
    assert "view mine of audit is sorted by 'whom', which is no column there" in told_of.text
    assert (
        "Columns of jobs: name, status, kind" in told_of.remedy and "of audit: when, oper" in told_of.remedy
    )
    locations.memory_file().write_text('{\n "views": {', encoding="utf-8")
    assert "console.json, line 2: it is not JSON" in list(findings())[-1].text


def test_the_engine_is_started_told_and_stopped_with_its_own_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("engine", "status").returncode == 3
    started = run("engine", "start")
    try:
        assert started.returncode == 0 and started.stdout.startswith("http://127.0.0.1:")
        told = json.loads(run("engine", "status", "--json").stdout)
        assert told["running"] and told["data_dir"] == str(locations.engine_dir())
        exports = run("engine", "env", "--shell", "posix").stdout
        assert f"AWS_ENDPOINT_URL={started.stdout.strip()}" in exports.replace("'", "").replace('"', "")
        assert "Runs at http" in run("doctor").stdout
    finally:
        assert run("engine", "stop").returncode == 0
    noted = [json.loads(line) for line in run("audit", "--about", "StopEngine", "--json").stdout.splitlines()]
    assert [entry["result"] for entry in noted] == ["ok"]
    assert run("engine", "status").returncode == 3
    refused = run("engine", "stat")
    assert refused.returncode == 2 and refused.stderr.startswith(
        "Error: No such command 'stat'. Did you mean 'start'?"
    )
    assert "`mlconsole engine --help` tells" in refused.stderr and "usage:" not in refused.stderr
    log = [json.loads(line) for line in run("engine", "logs", "--json", "-n", "3").stdout.splitlines()]
    assert log and all(entry.keys() == {"time", "level", "message"} for entry in log)
    assert time.time() - 600 < log[-1]["time"] <= time.time()
    refused = run("engine", "logs", "--json", "--colour")
    told = json.loads(refused.stdout)
    assert refused.returncode == 2 and told["code"] == "usage" and "'--colour'" in told["error"]
    assert told["remedy"] == "`mlconsole engine logs --help` tells how it is used."
    # A person's own package of that name, where they happen to be, is not the engine.
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "__main__.py").write_text("raise SystemExit('not this one')\n")
    monkeypatch.chdir(tmp_path)
    assert run("engine", "status").returncode == 3
    assert "usage: mlconsole engine start" in run("engine", "start", "--help").stdout


def test_configured_engine_options_are_passed_on_and_given_ones_win(monkeypatch: pytest.MonkeyPatch) -> None:
    from console.cli.passing import completed

    monkeypatch.setenv("MLCONSOLE_ENGINE_PORT", "4999")
    folder = str(locations.engine_dir())
    assert completed(["start", "--port", "5000"]) == [
        "start",
        "--data-dir",
        folder,
        "--port",
        "4999",
        "--port",
        "5000",
    ]
    assert completed(["status"]) == ["status", "--data-dir", folder]
    assert completed(["status", "--data-dir", "/x"]) == ["status", "--data-dir", "/x"]
    assert completed([]) == ["--help"]


class TestDoctor:
    @pytest.mark.parametrize(
        ("role", "state"),
        [
            ("arn:aws:iam::123456789012:role/Execution", "note"), ("arn:aws-cn:iam::123456789012:role/service-role/Ex.ec+1", "note"), ("Execution", "note"), ("", "note"),
            ("arn:aws:iam::1234:role/Execution", "bad"), ("arn:aws:iam::123456789012:user/Execution", "bad"), ("arn:aws:iam::123456789012:role/", "bad"),
        ],
    )  # fmt: skip
    def test_a_role_is_written_as_iam_writes_it(self, role: str, state: str) -> None:
        from workflows.configuration import Configuration
        from workflows.diagnosis import _Caller, _execution_role

        configuration = Configuration(role=role)
        assert _execution_role(configuration, _Caller(configuration)).state == state

    def test_an_engine_that_lives_and_does_not_answer_is_told(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        from workflows import diagnosis

        monkeypatch.setenv("MLCONSOLE_ENGINE_DIR", str(tmp_path))
        assert diagnosis._engine().state == "note"
        names = ("url", "account_id", "region", "access_key", "secret_key", "role_arn", "bucket", "nonce")
        document = dict.fromkeys(names, "x") | {"url": "http://127.0.0.1:9", "pid": os.getpid()}
        (tmp_path / "connection.json").write_text(json.dumps(document), encoding="utf-8")
        found = diagnosis._engine()
        assert found.state == "bad" and "does not answer" in found.text and "engine stop" in found.remedy

    @pytest.mark.parametrize(
        ("environment", "options", "state", "said"),
        [
            ({"TMUX": "x"}, {"set-clipboard": "off"}, "warning", "keeps copied text"), ({"TMUX": "x"}, {"set-clipboard": "external"}, "note", "notifications of the desktop do not"),
            ({"TMUX": "x"}, {"set-clipboard": "off", "allow-passthrough": "on"}, "ok", "go through tmux"), ({"STY": "1.x"}, {}, "note", "GNU screen in pieces"), ({}, {}, "note", "asks the terminal"),
        ],
    )  # fmt: skip
    def test_what_keeps_a_copy_from_the_persons_own_machine_is_told(
        self,
        monkeypatch: pytest.MonkeyPatch,
        environment: dict[str, str],
        options: dict[str, str],
        state: str,
        said: str,
    ) -> None:
        from workflows import diagnosis

        for name in ("TMUX", "STY", "TERM"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(diagnosis, "_tmux_option", lambda name, scope="": options.get(name, ""))
        found = diagnosis._clipboard()
        assert (found.state, said in found.text) == (state, True)


def test_doctor_names_a_wrong_configuration_and_looks_at_the_rest(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('target = "moon"', encoding="utf-8")
    done = run("doctor", "--json", env={"MLCONSOLE_CONFIG_DIR": str(tmp_path)})
    findings = {found["name"]: found for found in json.loads(done.stdout)["findings"]}
    assert done.returncode == 1 and len(findings) > 5
    assert findings["configuration"]["state"] == "bad" and "moon" in findings["configuration"]["text"]


class TestPipes:
    """What a command does when what it prints is not taken."""

    def test_a_reader_that_has_what_it_wanted_is_no_failure(self) -> None:
        for arguments in (["keys", "--json"], ["keys"], ["--help"], ["--version"]):
            read, write = os.pipe()
            os.close(read)
            done = subprocess.run([COMMAND, *arguments], stdout=write, stderr=subprocess.PIPE, check=False)
            os.close(write)
            assert (done.returncode, done.stderr) == (0, b""), arguments

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
    def test_a_disk_that_is_full_is_told_in_one_line(self) -> None:
        for arguments in (["keys", "--json"], ["where"], ["--version"]):
            with Path("/dev/full").open("w") as full:
                done = subprocess.run(
                    [COMMAND, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False
                )
            assert done.returncode == 1 and "No space left on device. Make room" in done.stderr, arguments
            assert len(done.stderr.splitlines()) == 1


def test_what_others_wrote_does_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Names in S3 and hyperparameters may hold escape sequences; our own colours stay."""
    evil = "a\x1b]0;title\x07\x1b[2Jb\u202e"
    assert output.harmless(f"{evil} \x1b[32mok\x1b[0m") == "ab \x1b[32mok\x1b[0m"
    assert output.harmless("\x1b[31mred") == "\x1b[31mred\x1b[0m"
    output.print_json({"evil": evil + "\x9b"})
    raw = capsys.readouterr().out
    assert json.loads(raw) == {"evil": evil + "\x9b"} and not set(raw) & set("\x1b\x07\x9b\u202e")
    output.print_table(["NAME", "STATUS"], [[evil, "ok"]])
    output.print_pairs([("failure", f"{evil}\nsecond")])
    told = capsys.readouterr().out
    assert "\nab    ok\n" in told and "failure  ab\nsecond" in told
