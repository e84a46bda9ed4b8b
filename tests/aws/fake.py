"""moto's server as a program: an AWS that nobody here wrote. It prints its address and serves until its input ends."""

from __future__ import annotations

import sys
import threading


def main() -> None:
    """Serve on a free port of loopback; the reader of the first line knows the address."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()  # the tests' process is gone, or wants this one to go


if __name__ == "__main__":
    main()
