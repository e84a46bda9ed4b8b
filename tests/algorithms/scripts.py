"""A source folder as a container runs it: a process of its own, told by SM_* variables, nothing of the project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_SERVE = """
import json, sys
sys.path.insert(0, sys.argv[1] + "/code")
import inference
model = inference.model_fn(sys.argv[1])
for line in sys.stdin:
    request = json.loads(line)
    try:
        rows = inference.input_fn(bytes.fromhex(request["body"]), request["content_type"])
        answer = inference.output_fn(inference.predict_fn(rows, model), request["accept"])
        answer = answer[0] if isinstance(answer, tuple) else answer
        answer = answer if isinstance(answer, bytes) else answer.encode()
        print(json.dumps({"answer": answer.hex()}), flush=True)
    except ValueError as error:
        print(json.dumps({"error": str(error)}), flush=True)
"""


class Container:
    """The folders of one job and the environment that names them."""

    def __init__(self, source: Path, root: Path) -> None:
        self._source = source
        self.train = root / "train"
        self.model = root / "model"
        self.output = root / "output"
        self.train.mkdir()
        self._server: subprocess.Popen[str] | None = None

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "SM_CHANNEL_TRAIN": str(self.train),
            "SM_MODEL_DIR": str(self.model),
            "SM_OUTPUT_DATA_DIR": str(self.output / "data"),
            "SM_OUTPUT_DIR": str(self.output),
            "OMP_NUM_THREADS": "1",
        }
        command = [sys.executable, "-I", "-c", _LAUNCH, str(self._source / "train.py"), *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    def ask(self, body: bytes, content_type: str, accept: str) -> bytes:
        done = self._serve(body, content_type, accept)
        assert "answer" in done, done
        return bytes.fromhex(done["answer"])

    def refusal(self, body: bytes, content_type: str, accept: str = "application/json") -> str:
        done = self._serve(body, content_type, accept)
        assert "error" in done, done
        return str(done["error"])

    def close(self) -> None:
        if self._server is not None:
            self._server.communicate(timeout=60)

    def _serve(self, body: bytes, content_type: str, accept: str) -> dict[str, Any]:
        if self._server is None:
            self._server = subprocess.Popen(
                [sys.executable, "-c", _SERVE, str(self.model)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/",
            )  # fmt: skip
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        request = {"body": body.hex(), "content_type": content_type, "accept": accept}
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        answer: dict[str, Any] = json.loads(self._server.stdout.readline())
        return answer


# -I keeps the project off the path; runpy puts the script's own folder there, as `python train.py` does.
_LAUNCH = (
    "import runpy, sys; from pathlib import Path; sys.argv = sys.argv[1:]; "
    "sys.path.insert(0, str(Path(sys.argv[0]).parent)); runpy.run_path(sys.argv[0], run_name='__main__')"
)
