"""Where the engine keeps things below its data directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths below one data directory; the directory belongs to one engine at a time (file lock)."""

    root: Path

    def prepare(self) -> None:
        """Make the directory, for its owner alone: objects, logs and keys of a shared machine are nobody else's business."""
        self.root.mkdir(parents=True, exist_ok=True)
        if self.root.stat().st_mode & 0o077:
            self.root.chmod(0o700)

    @property
    def lock(self) -> Path:
        return self.root / "engine.lock"

    @property
    def start_lock(self) -> Path:
        """Held by the one of several simultaneous starts that may start an engine."""
        return self.root / "start.lock"

    @property
    def port(self) -> Path:
        """The port of the last engine, so that the next one answers where the shells that know it look for it."""
        return self.root / "port"

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
    def doorway(self) -> Path:
        """The folder that ``engine env`` puts on PYTHONPATH; the name tells it from a person's own entries."""
        return self.root / "aws-python"

    @property
    def log(self) -> Path:
        return self.root / "engine.log"

    @property
    def advisor_log(self) -> Path:
        """Standard error of tuning's advisor process."""
        return self.root / "advisor.log"

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
    def transforms(self) -> Path:
        return self.root / "transforms"

    @property
    def endpoints(self) -> Path:
        return self.root / "endpoints"

    @property
    def functions(self) -> Path:
        """Packages of Lambda functions, and the folders of their execution environments."""
        return self.root / "functions"

    @property
    def captures(self) -> Path:
        """Journals of captured requests that are not objects in S3 yet."""
        return self.root / "captures"
