"""The commands of ``mlconsole engine``."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from engine import settings as defaults


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the result is the process's exit status."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mlconsole engine", description="The embedded SageMaker of this machine."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="run the engine in the foreground")
    serve.set_defaults(run=_serve)
    serve.add_argument("--data-dir", type=Path, required=True)
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=0)
    serve.add_argument("--account-id", default="")
    serve.add_argument("--access-key", default="")
    serve.add_argument("--secret-key", default="")
    serve.add_argument("--region", default=defaults.DEFAULT_REGION)
    serve.add_argument("--time-scale", type=float, default=0.01)
    serve.add_argument("--test-mode", action="store_true")
    return parser


def _serve(options: argparse.Namespace) -> int:
    from engine import credentials, server
    from engine.connection import Connection

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    data_dir = options.data_dir.expanduser().resolve()

    def announce(connection: Connection) -> None:
        print(connection.url, flush=True)

    try:
        with server.owned(data_dir / "engine.lock"):
            who = credentials.load(
                data_dir / "credentials.json",
                account_id=options.account_id,
                access_key=options.access_key,
                secret_key=options.secret_key,
            )
            settings = defaults.Settings(
                data_dir=data_dir,
                account_id=who.account_id,
                access_key=who.access_key,
                secret_key=who.secret_key,
                host=options.host,
                port=options.port,
                region=options.region,
                time_scale=options.time_scale,
                test_mode=options.test_mode,
            )
            server.serve(settings, server.bind(options.host, options.port), announce)
    except (server.Busy, ValueError, OSError) as error:
        print(f"mlconsole engine: {error}", file=sys.stderr)
        return 1
    return 0
