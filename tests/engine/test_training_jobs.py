"""Training jobs over real HTTP: what runs, what it is told, what it leaves, how it fails."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine import jobs
from tests.engine.conftest import RunningEngine, engine_process
from tests.engine.jobs import channel, fetch, finish, lines, put, submit, unpack, until, until_line


@pytest.fixture(scope="module", params=["namespaces", "rewriting"])
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningEngine]:
    """Both ways to give a job its /opt/ml; the first is the second where the kernel does not allow namespaces."""
    patch = pytest.MonkeyPatch()
    if request.param == "rewriting":
        patch.setenv("MLCONSOLE_NO_NAMESPACES", "1")
    with engine_process(tmp_path_factory.mktemp(request.param) / "data") as running:
        yield running
    patch.undo()


ECHO = """
import json, os, sys
base = os.path.dirname(os.environ["SM_MODEL_DIR"])
told = {
    "argv": sys.argv, "cwd": os.path.realpath(os.getcwd()), "code": os.path.realpath(base + "/code"),
    "main": __name__, "file": os.path.basename(__file__),
    "env": {k: v for k, v in os.environ.items() if k.startswith(("SM_", "TRAINING_", "AWS_", "OMP_", "MY_"))},
    "config": {n: json.load(open(f"{base}/input/config/{n}.json")) for n in ("hyperparameters", "inputdataconfig", "resourceconfig")},
    "data": {os.path.relpath(os.path.join(d, f), base): open(os.path.join(d, f)).read()
             for d, _, fs in os.walk(base + "/input/data") for f in fs},
}
print("loss=1.5; acc=0.5")
print("loss=0.5; acc=nan", file=sys.stderr)
json.dump(told, open(os.path.join(os.environ["SM_MODEL_DIR"], "told.json"), "w"))
open(os.path.join(os.environ["SM_OUTPUT_DATA_DIR"], "report.txt"), "w").write("report")
"""


def test_a_script_is_told_what_the_training_toolkit_tells(engine: RunningEngine) -> None:
    data = put(engine, f"{jobs.fresh('data')}/train.csv", "1,2")
    name = submit(
        engine,
        ECHO,
        hyperparameters={
            "epochs": "3",
            "b": '"text"',
            "flag": "true",
            "rate": "0.1",
            "plain": "a b",
            "layers": "[1, 2]",
        },
        metrics={"loss": "loss=([0-9.]+);", "acc": "acc=(.+)"},
        Environment={"MY_VARIABLE": "mine"},
        InputDataConfig=[channel(data, ContentType="text/csv")],
        Tags=[{"Key": "team", "Value": "moons"}],
    )
    job = finish(engine, name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    told = json.loads(unpack(fetch(engine, job["ModelArtifacts"]["S3ModelArtifacts"]))["told.json"])
    expected = [
        "--epochs",
        "3",
        "--flag",
        "True",
        "--layers",
        "[1, 2]",
        "--plain",
        "a b",
        "--rate",
        "0.1",
        "-b",
        "text",
    ]
    assert sorted(told["argv"][1::2]) == sorted(expected[::2])
    assert told["argv"] == ["train.py", "-b", "text", *expected[:-2]]
    assert told["main"] == "__main__"
    assert told["file"] == "train.py"
    assert told["cwd"] == told["code"]
    env = told["env"]
    base = str(Path(env["SM_MODEL_DIR"]).parent)
    assert env["SM_CHANNEL_TRAINING"] == f"{base}/input/data/training"
    assert json.loads(env["SM_HPS"]) == {
        "epochs": 3,
        "b": "text",
        "flag": True,
        "rate": 0.1,
        "plain": "a b",
        "layers": [1, 2],
    }
    assert json.loads(env["SM_USER_ARGS"]) == told["argv"][1:]
    assert env["SM_HP_EPOCHS"] == "3"
    assert json.loads(env["SM_HOSTS"]) == ["algo-1"]
    assert env["TRAINING_JOB_NAME"] == name
    assert env["TRAINING_JOB_ARN"] == job["TrainingJobArn"]
    assert env["AWS_ENDPOINT_URL"] == engine.url
    assert env["MY_VARIABLE"] == "mine"
    assert told["data"] == {"input/data/training/train.csv": "1,2"}
    assert told["config"]["inputdataconfig"]["training"]["ContentType"] == "text/csv"
    assert told["config"]["resourceconfig"]["current_instance_type"] == "ml.m5.large"
    assert told["config"]["hyperparameters"]["b"] == '"text"'
    assert job["FinalMetricDataList"][0]["MetricName"] == "loss"
    assert job["FinalMetricDataList"][0]["Value"] == 0.5
    assert len(job["FinalMetricDataList"]) == 2 and job["FinalMetricDataList"][1]["Value"] == 0.5
    statuses = [item["Status"] for item in job["SecondaryStatusTransitions"]]
    assert statuses == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    ends = [item["EndTime"] for item in job["SecondaryStatusTransitions"]]
    assert ends[:-1] == [item["StartTime"] for item in job["SecondaryStatusTransitions"]][1:]
    assert job["BillableTimeInSeconds"] == job["TrainingTimeInSeconds"] >= 1
    output = fetch(engine, f"s3://{engine.connection.default_bucket}/out/{name}/output/output.tar.gz")
    assert unpack(output) == {"report.txt": b"report"}
    tags = engine.client("sagemaker").list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "moons"}]
    printed = lines(engine, name)
    assert [line for line in printed if line.startswith("loss")] == ["loss=1.5; acc=0.5", "loss=0.5; acc=nan"]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            "def f():\n    raise ValueError('bad rate')\nf()\n",
            "ErrorMessage \"raise ValueError('bad rate')\n ValueError: bad rate\"",
        ),
        ("import sys\nsys.exit(3)\n", "exit code: 3"),
        ("import sys\nsys.exit('no data')\n", "no data"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n", "SIGSEGV, exit code: 139"),
        ("def broken(:\n", "SyntaxError"),
        ("import no_such_module_here\n", "ModuleNotFoundError: No module named 'no_such_module_here'"),
        (
            "import os\nopen(os.environ['SM_OUTPUT_DIR'] + '/failure', 'w').write('own words' + 'x' * 2000)\nos._exit(7)\n",
            "AlgorithmError: own words",
        ),
    ],
)
def test_a_failing_script_says_why(engine: RunningEngine, script: str, reason: str) -> None:
    job = finish(engine, submit(engine, script))
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: ")
    assert reason in job["FailureReason"]
    assert "exit code: " in job["FailureReason"]
    assert len(job["FailureReason"]) <= 1024
    assert job["SecondaryStatusTransitions"][-1]["Status"] == "Failed"
    assert "ModelArtifacts" not in job


def test_the_given_entrypoint_runs_instead_of_the_toolkit(engine: RunningEngine) -> None:
    command = "set -e; cd /opt/ml; ls input/data/code; python3 input/data/code/go.py $MORE; command -v pip3"
    prefix = jobs.fresh("code")
    put(engine, f"{prefix}/go.py", "import sys; print('arguments', sys.argv[1:]); open('/dev/null')")
    name = jobs.fresh()
    engine.client("sagemaker").create_training_job(
        **jobs.request(
            engine,
            name,
            AlgorithmSpecification={
                "TrainingImage": jobs.IMAGE,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["/bin/bash"],
                "ContainerArguments": ["-c", command],
            },
            Environment={"MORE": "one two"},
            InputDataConfig=[channel(f"s3://{engine.connection.default_bucket}/{prefix}", "code")],
        )
    )
    job = finish(engine, name)
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    printed = lines(engine, name)
    assert printed[:2] == ["go.py", "arguments ['one', 'two']"]
    assert printed[2].endswith("pip3")


def test_an_entrypoint_that_is_not_there_fails_by_name(engine: RunningEngine) -> None:
    name = jobs.fresh()
    specification = {
        "TrainingImage": jobs.IMAGE,
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["/no/such/program"],
    }
    engine.client("sagemaker").create_training_job(
        **jobs.request(engine, name, AlgorithmSpecification=specification)
    )
    job = finish(engine, name)
    assert job["TrainingJobStatus"] == "Failed"
    assert "/no/such/program: No such file or directory" in job["FailureReason"]


def test_a_shell_entry_point_gets_its_arguments_quoted(engine: RunningEngine) -> None:
    script = '#!/bin/sh\nfor word in "$@"; do echo "word=$word"; done\n'
    name = submit(engine, script, program="train.sh", hyperparameters={"text": "a 'b' $HOME"})
    assert finish(engine, name)["TrainingJobStatus"] == "Completed"
    assert [line for line in lines(engine, name) if line.startswith("word=")] == [
        "word=--text",
        "word=a 'b' $HOME",
    ]


def test_stopping_lets_a_script_save_its_model(engine: RunningEngine) -> None:
    script = """
        import os, signal, sys, time
        def save(*_):
            open(os.path.join(os.environ["SM_MODEL_DIR"], "saved"), "w").write("by signal")
            sys.exit(0)
        signal.signal(signal.SIGTERM, save)
        print("ready")
        time.sleep(600)
    """
    name = submit(engine, script)
    until_line(engine, name, "ready")
    client = engine.client("sagemaker")
    client.stop_training_job(TrainingJobName=name)
    assert client.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] in ("Stopping", "Stopped")
    job = finish(engine, name)
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Stopped"
    assert [item["Status"] for item in job["SecondaryStatusTransitions"]][2:] == [
        "Training",
        "Stopping",
        "Uploading",
        "Stopped",
    ]
    assert unpack(fetch(engine, job["ModelArtifacts"]["S3ModelArtifacts"])) == {"saved": b"by signal"}
    with pytest.raises(
        client.exceptions.ClientError, match="rejected because the training job is in status Stopped"
    ) as caught:
        client.stop_training_job(TrainingJobName=name)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_a_job_ends_at_its_maximum_runtime_with_all_it_started(engine: RunningEngine, tmp_path: Path) -> None:
    script = f"""
        import os, subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
        open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
        time.sleep(600)
    """
    job = finish(engine, submit(engine, script, StoppingCondition={"MaxRuntimeInSeconds": 1}))
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    pid = int((tmp_path / "pid").read_text())
    status = Path(f"/proc/{pid}/stat")
    assert not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"


def test_input_is_the_jobs_own(engine: RunningEngine) -> None:
    """What a program writes to its input never reaches the S3 object."""
    prefix = jobs.fresh("data")
    uri = put(engine, f"{prefix}/a.csv", "original")
    script = """
        import os
        path = os.path.join(os.environ["SM_CHANNEL_TRAINING"], "a.csv")
        with open(path, "r+") as file:
            file.write("overwritten")
        print("now", open(path).read())
    """
    name = submit(
        engine, script, InputDataConfig=[channel(f"s3://{engine.connection.default_bucket}/{prefix}/")]
    )
    assert finish(engine, name)["TrainingJobStatus"] == "Completed"
    assert "now overwritten" in lines(engine, name)
    assert fetch(engine, uri) == b"original"


def test_fast_file_input_cannot_change_the_object(engine: RunningEngine) -> None:
    prefix = jobs.fresh("data")
    uri = put(engine, f"{prefix}/a.csv", "original")
    script = """
        import os
        path = os.path.join(os.environ["SM_CHANNEL_TRAINING"], "a.csv")
        print("read", open(path).read())
        try:
            os.chmod(path, 0o666)
            open(path, "w").write("overwritten")
        except OSError as error:
            print("refused", error.strerror)
    """
    source = channel(f"s3://{engine.connection.default_bucket}/{prefix}", InputMode="FastFile")
    name = submit(engine, script, InputDataConfig=[source])
    assert finish(engine, name)["TrainingJobStatus"] == "Completed"
    assert "read original" in lines(engine, name)
    assert fetch(engine, uri) == b"original"


def test_checkpoints_come_back_and_are_kept(engine: RunningEngine) -> None:
    uri = f"s3://{engine.connection.default_bucket}/{jobs.fresh('checkpoints')}"
    script = """
        import os
        folder = os.path.join(os.path.dirname(os.environ["SM_MODEL_DIR"]), "checkpoints")
        path = os.path.join(folder, "deep", "epoch")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        epoch = int(open(path).read()) + 1 if os.path.exists(path) else 0
        open(path, "w").write(str(epoch))
        print("epoch", epoch)
    """
    for epoch in range(2):
        name = submit(engine, script, CheckpointConfig={"S3Uri": uri, "LocalPath": "/opt/ml/checkpoints"})
        assert finish(engine, name)["TrainingJobStatus"] == "Completed"
        assert f"epoch {epoch}" in lines(engine, name)
    assert fetch(engine, f"{uri}/deep/epoch") == b"1"


def test_what_a_job_installs_stays_in_the_job(engine: RunningEngine) -> None:
    wheel = _wheel("tinydependency", "VALUE = 42\n")
    files: dict[str, str | bytes] = {
        "train.py": "import tinydependency\nprint('value', tinydependency.VALUE)\n",
        "requirements.txt": "--no-index\n./tinydependency-1.0-py3-none-any.whl\n",
        "tinydependency-1.0-py3-none-any.whl": wheel,
    }
    name = submit(engine, files)
    job = finish(engine, name)
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    assert "value 42" in lines(engine, name)
    with pytest.raises(ModuleNotFoundError):
        __import__("tinydependency")


def test_requirements_that_cannot_be_installed_fail_the_job(engine: RunningEngine) -> None:
    files = {"train.py": "print('never')", "requirements.txt": "--no-index\nno-such-distribution-here==9\n"}
    job = finish(engine, submit(engine, files))
    assert job["TrainingJobStatus"] == "Failed"
    assert "InstallRequirementsError" in job["FailureReason"]
    assert "no-such-distribution-here" in job["FailureReason"]


def test_a_name_is_free_again_after_the_job_was_deleted(engine: RunningEngine) -> None:
    client = engine.client("sagemaker")
    name = submit(engine, "import time; print('up'); time.sleep(600)")
    until(engine, name, lambda job: job["SecondaryStatus"] == "Training")
    with pytest.raises(client.exceptions.ResourceInUse, match="already exists"):
        submit(engine, "print(1)", name=name)
    with pytest.raises(client.exceptions.ResourceInUse):
        client.delete_training_job(TrainingJobName=name)
    client.stop_training_job(TrainingJobName=name)
    finish(engine, name)
    client.delete_training_job(TrainingJobName=name)
    with pytest.raises(client.exceptions.ClientError, match="Requested resource not found"):
        client.describe_training_job(TrainingJobName=name)
    submit(engine, "print('again')", name=name)
    assert finish(engine, name)["TrainingJobStatus"] == "Completed"


def _wheel(name: str, source: str) -> bytes:
    buffer = io.BytesIO()
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"{name}.py", source)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(
            f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n"
        )
    return buffer.getvalue()


def test_links_that_leave_the_model_directory_are_not_followed(engine: RunningEngine, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("not the job's")
    script = f"""
        import os
        model = os.environ["SM_MODEL_DIR"]
        base = os.path.dirname(model)
        open(f"{{model}}/real", "w").write("real")
        os.symlink("real", f"{{model}}/inside")
        os.symlink({str(secret)!r}, f"{{model}}/outside")
        os.symlink("/opt/ml/code/train.py" if os.path.exists("/opt/ml/code/train.py") else f"{{base}}/code/train.py", f"{{model}}/script.py")
        os.mkfifo(f"{{model}}/pipe")
    """
    job = finish(engine, submit(engine, script))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    data = fetch(engine, job["ModelArtifacts"]["S3ModelArtifacts"])
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        kinds = {info.name: info.issym() for info in archive.getmembers()}
        assert archive.extractfile("script.py") is not None
    assert kinds == {"real": False, "inside": True, "script.py": False}


def test_uncompressed_output_is_stored_file_by_file(engine: RunningEngine) -> None:
    bucket = engine.connection.default_bucket
    script = "import os; open(os.environ['SM_MODEL_DIR'] + '/weights', 'w').write('w')"
    name = submit(
        engine, script, OutputDataConfig={"S3OutputPath": f"s3://{bucket}/plain", "CompressionType": "NONE"}
    )
    job = finish(engine, name)
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{bucket}/plain/{name}/output/model/"
    assert fetch(engine, f"s3://{bucket}/plain/{name}/output/model/weights") == b"w"
