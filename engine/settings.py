"""What an engine is started with."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_REGION = "us-east-1"
DEFAULT_ROLE = "MLConsoleExecutionRole"


@dataclass(slots=True)
class Settings:
    """One engine's options.

    ``access_key`` and ``secret_key`` are the account's key pair, ``time_scale`` the factor on declared waits,
    ``cores`` and ``memory_mb`` what training jobs may use together before further ones queue.
    """

    data_dir: Path
    account_id: str
    access_key: str
    secret_key: str
    host: str = "127.0.0.1"
    port: int = 0
    region: str = DEFAULT_REGION
    time_scale: float = 0.01
    test_mode: bool = False
    cores: int = field(default_factory=lambda: os.cpu_count() or 1)
    memory_mb: int = field(
        default_factory=lambda: os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    )

    @property
    def role_arn(self) -> str:
        """The default execution role, which exists from the first start."""
        return f"arn:aws:iam::{self.account_id}:role/{DEFAULT_ROLE}"

    @property
    def default_bucket(self) -> str:
        """The bucket that both SageMaker SDKs call the default one."""
        return f"sagemaker-{self.region}-{self.account_id}"

    def arn(self, service: str, resource: str) -> str:
        """``arn:aws:<service>:<region>:<account>:<resource>``."""
        return f"arn:aws:{service}:{self.region}:{self.account_id}:{resource}"
