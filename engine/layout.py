"""Where the engine keeps things below its data directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths below one data directory; the directory belongs to one engine at a time (file lock)."""

    root: Path

    @property
    def lock(self) -> Path:
        return self.root / "engine.lock"

    @property
    def connection(self) -> Path:
        """JSON, mode 0600: url, pid, region, account id, keys. Only there while an engine runs."""
        return self.root / "connection.json"

    @property
    def credentials(self) -> Path:
        """JSON, mode 0600: the account id and key pair generated on first start."""
        return self.root / "credentials.json"

    @property
    def sdk_defaults(self) -> Path:
        """The SageMaker SDK's defaults file that ``engine env`` names."""
        return self.root / "sagemaker-defaults.yaml"

    @property
    def log(self) -> Path:
        return self.root / "engine.log"

    @property
    def database(self) -> Path:
        return self.root / "store.db"

    @property
    def objects(self) -> Path:
        return self.root / "s3"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def metrics(self) -> Path:
        return self.root / "metrics"

    @property
    def jobs(self) -> Path:
        return self.root / "jobs"

    @property
    def endpoints(self) -> Path:
        return self.root / "endpoints"
