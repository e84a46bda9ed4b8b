"""The engine as a background process, by its own command line."""

from __future__ import annotations

import http.client
import http.server
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine import connection, daemon
from engine.layout import Layout
from engine.protocol import models

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    """A data directory whose engine, if one is left, ends with the test."""
    found = Layout(tmp_path / "a data dir")
    yield found
    daemon.stop(found, 10)


@pytest.fixture
def run(layout: Layout) -> Run:
    """Run ``python -m engine COMMAND --data-dir ...``."""

    def command(name: str, *options: str, **more: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            _command(layout, name, *options),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
            **more,
        )  # type: ignore[call-overload,no-any-return]

    return command


def _command(layout: Layout, name: str, *options: str) -> list[str]:
    return [sys.executable, "-m", "engine", name, "--data-dir", str(layout.root), *options]


def test_start_status_stop(run: Run, layout: Layout) -> None:
    assert run("status").returncode == 3
    assert run("status").stdout.startswith("not running")
    started = run("start", "--json")
    told = json.loads(started.stdout)
    assert started.returncode == 0
    assert told["started_now"] is True
    assert "secret_key" not in told
    again = json.loads(run("start", "--json").stdout)
    assert (again["url"], again["pid"], again["started_now"]) == (told["url"], told["pid"], False)
    assert run("start").stdout.strip() == told["url"]
    status = run("status", "--json")
    described = json.loads(status.stdout)
    assert status.returncode == 0
    assert described["running"] is True
    assert described["pid"] == told["pid"]
    assert described["counts"]["training_jobs"] == 0
    assert described["rss_bytes"] > 2**20
    assert run("status").stdout.startswith(f"running   {told['url']}")
    stopped = json.loads(run("stop", "--json").stdout)
    assert stopped == {
        "stopped": True,
        "pid": told["pid"],
        "training_jobs_left_running": 0,
        "transform_jobs_paused": 0,
        "killed": False,
    }
    assert not layout.connection.exists()
    assert run("stop").stdout.strip() == "The engine does not run."
    assert run("status").returncode == 3


def test_the_engine_has_a_session_of_its_own(run: Run) -> None:
    pid = json.loads(run("start", "--json").stdout)["pid"]
    assert os.getsid(pid) == pid != os.getsid(0)
    assert Path(f"/proc/{pid}/fd/0").resolve() == Path("/dev/null") if Path("/proc").exists() else True


def test_ten_starts_at_once_make_one_engine(layout: Layout) -> None:
    starts = [
        subprocess.Popen(
            _command(layout, "start", "--json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(10)
    ]
    told = []
    for start in starts:
        output, errors = start.communicate(timeout=90)
        assert start.returncode == 0, errors
        told.append(json.loads(output))
    assert len({one["url"] for one in told}) == len({one["pid"] for one in told}) == 1
    assert sum(one["started_now"] for one in told) == 1


def test_account_keys_and_port_survive_a_restart(run: Run, layout: Layout) -> None:
    first = json.loads(run("start", "--json").stdout)
    keys = layout.credentials.read_text()
    run("stop")
    second = json.loads(run("start", "--json").stdout)
    for name in ("url", "account_id", "access_key"):
        assert first[name] == second[name]
    assert first["pid"] != second["pid"]
    assert layout.credentials.read_text() == keys


def test_a_given_pair_and_account(run: Run) -> None:
    options = (
        "--account-id",
        "123456789012",
        "--access-key",
        "AKIAFIXEDFIXEDFIXED0",
        "--secret-key",
        "a/fixed+secret",
    )
    told = json.loads(run("start", "--json", *options).stdout)
    assert (told["account_id"], told["access_key"]) == ("123456789012", "AKIAFIXEDFIXEDFIXED0")
    shown = Path(f"/proc/{told['pid']}/cmdline")
    if shown.exists():
        assert b"a/fixed+secret" not in shown.read_bytes()


def test_a_connection_file_that_lies(run: Run, layout: Layout) -> None:
    first = json.loads(run("start", "--json").stdout)
    true = connection.read(layout.connection)
    assert true is not None
    os.kill(first["pid"], signal.SIGKILL)
    while daemon.owner(layout) is not None:
        time.sleep(0.01)
    assert layout.connection.exists()
    assert daemon.running(layout) is None, "the process is dead"
    assert run("status").returncode == 3
    replace(true, pid=os.getpid()).write(layout.connection)
    assert daemon.running(layout) is None, "the process is another one and nothing answers"

    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"status": "ok", "nonce": "mine"}')

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer((true.host, true.port), Other) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        assert daemon.running(layout) is None, "something else answers on the port"
        second = json.loads(run("start", "--json").stdout)
        assert second["started_now"] is True
        assert second["port"] != true.port
        other.shutdown()
    layout.connection.write_text("{ not json")
    assert daemon.running(layout) is None


def test_a_second_engine_is_refused(run: Run) -> None:
    pid = json.loads(run("start", "--json").stdout)["pid"]
    second = run("serve")
    assert second.returncode == 1
    assert f"an engine (process {pid}) already runs on" in second.stderr


def test_an_engine_that_does_not_answer_is_killed(run: Run, layout: Layout) -> None:
    pid = json.loads(run("start", "--json").stdout)["pid"]
    os.kill(pid, signal.SIGSTOP)
    stopped = json.loads(run("stop", "--timeout", "0.2", "--json").stdout)
    assert (stopped["pid"], stopped["killed"]) == (pid, True)
    assert json.loads(run("start", "--json").stdout)["started_now"] is True


def test_a_taken_port_is_named(run: Run, tmp_path: Path) -> None:
    port = json.loads(run("start", "--json").stdout)["port"]
    other = Layout(tmp_path / "other")
    refused = subprocess.run(
        _command(other, "start", "--port", str(port)), capture_output=True, text=True, timeout=60, check=False
    )
    assert refused.returncode == 1
    assert f"port {port} cannot be used" in refused.stderr
    assert "--port" in refused.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--host", "0.0.0.0"), "only listens on loopback"),
        (("--host", "example.com"), "only listens on loopback"),
        (("--port", "70000"), "between 0 and 65535"),
        (("--time-scale", "-1"), "must be 0 or more"),
        (("--account-id", "12"), "has 12 digits"),
        (("--access-key", "AKIAFIXEDFIXEDFIXED0"), "together"),
    ],
)
def test_options_that_cannot_be(run: Run, layout: Layout, options: tuple[str, ...], said: str) -> None:
    refused = run("start", *options)
    assert refused.returncode == 1
    assert said in refused.stderr
    assert not layout.connection.exists()


@pytest.mark.parametrize("verb", ["start", "serve"])
def test_a_data_directory_that_cannot_be_made(run: Run, layout: Layout, verb: str) -> None:
    layout.root.write_text("in the way")
    refused = run(verb)
    assert refused.returncode == 1 and "Traceback" not in refused.stderr
    assert str(layout.root) in refused.stderr and "--data-dir" in refused.stderr
    layout.root.unlink()


def test_without_a_data_directory() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "MLCONSOLE_ENGINE_DIR"}
    told = subprocess.run(
        [sys.executable, "-m", "engine", "status"],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=60,
    )
    assert told.returncode == 1
    assert "--data-dir" in told.stderr


def test_the_environment_for_a_shell(run: Run, layout: Layout) -> None:
    script = run("env").stdout
    program = (
        "import boto3, json, os; c = boto3.client('sts'); "
        "print(json.dumps([c.get_caller_identity()['Account'], os.environ.get('AWS_PROFILE'), c.meta.region_name]))"
    )
    shell = subprocess.run(
        ["sh", "-c", f'eval "$1"; exec {shlex.quote(sys.executable)} -c "$2"', "sh", script, program],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "AWS_PROFILE": "nobody",
            "AWS_SESSION_TOKEN": "stale",
            "http_proxy": "http://127.0.0.1:9",
        }
        | _proxy(run),
        timeout=60,
        check=False,
    )
    found = connection.read(layout.connection)
    assert found is not None
    assert json.loads(shell.stdout) == [found.account_id, None, "us-east-1"], shell.stderr
    assert f"DefaultS3Bucket: {found.default_bucket}" in layout.sdk_defaults.read_text()


def _proxy(run: Run) -> dict[str, str]:
    """What ``env`` adds when the caller's shell has a proxy."""
    told = json.loads(run("env", "--json", env={**os.environ, "http_proxy": "http://127.0.0.1:9"}).stdout)
    assert told["set"]["NO_PROXY"].endswith("127.0.0.1,localhost")
    return {"NO_PROXY": told["set"]["NO_PROXY"]}


def test_the_environment_in_other_forms(run: Run) -> None:
    told = json.loads(run("env", "--json").stdout)
    assert told["set"]["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert told["set"]["AWS_REGION"] == told["set"]["AWS_DEFAULT_REGION"] == "us-east-1"
    assert "AWS_SESSION_TOKEN" in told["unset"]
    # One that another tool has set would send that service's requests to AWS.
    ids = {models.description(name)["metadata"]["serviceId"] for name in models.SERVICES}
    assert {f"AWS_ENDPOINT_URL_{name.replace(' ', '_').upper()}" for name in ids} <= set(told["unset"])
    fish = run("env", "--shell", "fish").stdout
    assert f"set -gx AWS_ENDPOINT_URL '{told['set']['AWS_ENDPOINT_URL']}';" in fish
    assert "set -e AWS_PROFILE;" in fish
    powershell = run("env", "--shell", "powershell").stdout
    assert f"$Env:AWS_ENDPOINT_URL = '{told['set']['AWS_ENDPOINT_URL']}'" in powershell
    assert run("env", "--shell", "posix", "--unset").stdout.startswith(
        "unset AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID"
    )


def test_sts_at_its_public_address_is_the_engine(run: Run, layout: Layout, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("import builtins\nbuiltins.own_sitecustomize = True\n")
    values = json.loads(run("env", "--json", env={**os.environ, "PYTHONPATH": str(own)}).stdout)["set"]
    assert values["PYTHONPATH"] == f"{layout.doorway}{os.pathsep}{own}"
    program = (
        "import boto3, json, sys\n"
        "assert own_sitecustomize\n"
        "found = []\n"
        "for host in ('sts.us-east-1', 'sts'):\n"
        "    c = boto3.client('sts', endpoint_url=f'https://{host}.amazonaws.com')\n"
        "    found.append(c.get_caller_identity()['Arn'])\n"
        "print(json.dumps(found))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, **values},
        timeout=60,
        check=False,
    )
    arn = "assumed-role/" + values["MLCONSOLE_ROLE_ARN"].rpartition("/")[2] + "/"
    assert [arn in found for found in json.loads(done.stdout or "[]")] == [True, True], done.stderr
    environment = {**os.environ, "PYTHONPATH": values["PYTHONPATH"]}
    assert (
        json.loads(run("env", "--json", env=environment).stdout)["set"]["PYTHONPATH"] == values["PYTHONPATH"]
    )
    assert f"export PYTHONPATH={own}\n" in run("env", "--shell", "posix", "--unset", env=environment).stdout


@pytest.mark.slow
def test_the_sdk_accepts_its_defaults_file(run: Run, layout: Layout) -> None:
    run("env")
    program = (
        "import sys\nfrom sagemaker.core.config.config import load_sagemaker_config\n"
        "config = load_sagemaker_config()\n"
        "modules = config['SageMaker']['PythonSDK']['Modules']\n"
        "print(modules['TelemetryOptOut'], modules['Session']['DefaultS3Bucket'])"
    )
    values = json.loads(run("env", "--json").stdout)["set"]
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, **values},
        timeout=120,
        check=False,
    )
    assert done.stdout.strip() == f"True {values['MLCONSOLE_BUCKET']}", done.stderr


def test_the_log(run: Run, layout: Layout) -> None:
    assert run("logs").returncode == 1
    pid = json.loads(run("start", "--json").stdout)["pid"]
    assert f"(pid {pid})" in run("logs").stdout
    assert len(run("logs", "-n", "1").stdout.splitlines()) == 1
    with subprocess.Popen(
        _command(layout, "logs", "-n", "0", "-f"), stdout=subprocess.PIPE, text=True
    ) as follower:
        assert follower.stdout is not None
        stopper = threading.Timer(0.5, run, ("stop",))
        stopper.start()
        assert follower.stdout.readline().endswith("engine stopped\n")
        follower.terminate()
        stopper.join()


def test_the_log_is_bounded(tmp_path: Path) -> None:
    program = (
        "import logging, sys\nfrom pathlib import Path\nfrom engine import journal\n"
        "journal._LARGEST = 2000\njournal.to_file(Path(sys.argv[1]))\n"
        "for number in range(200):\n    logging.info('line %d %s', number, 'x' * 50)\n"
        "print('said on standard output', flush=True)\n"
    )
    log = tmp_path / "engine.log"
    subprocess.run([sys.executable, "-c", program, str(log)], check=True, timeout=60)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "engine.log",
        "engine.log.1",
        "engine.log.2",
        "engine.log.3",
    ]
    assert log.read_text().endswith("said on standard output\n")
    assert all(file.stat().st_size < 4000 for file in tmp_path.iterdir())


def test_reset_asks_and_wipes(run: Run, layout: Layout) -> None:
    assert "--yes" in run("reset").stderr
    started = json.loads(run("start", "--json").stdout)
    found = connection.read(layout.connection)
    assert found is not None
    iam = _iam(found)
    iam.create_role(RoleName="short-lived", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))  # fmt: skip
    assert run("reset", "--yes").returncode == 0
    assert [role["RoleName"] for role in iam.list_roles()["Roles"]] == ["MLConsoleExecutionRole"]
    assert json.loads(run("status", "--json").stdout)["pid"] == started["pid"]
    run("stop")
    assert run("reset", "--yes").returncode == 0
    assert run("status").returncode == 3


def test_an_unsigned_reset_needs_test_mode(run: Run, layout: Layout) -> None:
    for options, status in (((), 403), (("--test-mode",), 200)):
        run("start", *options)
        found = connection.read(layout.connection)
        assert found is not None
        channel = http.client.HTTPConnection(found.host, found.port, timeout=30)
        channel.request("POST", "/_engine/reset")
        assert channel.getresponse().status == status
        channel.close()
        run("stop")


def _iam(found: connection.Connection) -> Any:
    import boto3

    return boto3.client(
        "iam",
        endpoint_url=found.url,
        region_name=found.region,
        aws_access_key_id=found.access_key,
        aws_secret_access_key=found.secret_key,
    )
