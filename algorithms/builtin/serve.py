"""The built-in algorithms' ``serve`` command: ``python -m algorithms.builtin.serve REPOSITORY [TAG]`` inside a worker.

The process, its settings and its HTTP server are those of `algorithms.container.serve`.
"""

from __future__ import annotations

import os
import sys

from algorithms.builtin.algorithm import find
from algorithms.builtin.failures import AlgorithmError, ClientError
from algorithms.container import serve
from algorithms.container.serving import Servant
from algorithms.container.serving_environment import Environment, ServingError


def main(repository: str, tag: str) -> int:
    """Load the model and serve until SIGTERM; the exit status is 1 when the model cannot be served."""

    def load(environment: Environment) -> Servant:
        try:
            return find(repository).load(environment.model_dir, tag)
        except (ClientError, AlgorithmError) as error:
            raise ServingError(f"{error.kind}: {error}") from error

    return serve.main(load)


if __name__ == "__main__":
    status = main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
