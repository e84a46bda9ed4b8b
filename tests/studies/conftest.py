"""A home for each file of tests, in which its studies run one after another."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.studies.launching import Home


@pytest.fixture(scope="module")
def _kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    real = os.environ.get("MLCONSOLE_DATA_DIR", "")
    with pytest.MonkeyPatch.context() as patch:
        made = Home(tmp_path_factory.mktemp("home"), real)
        patch.setenv("MLCONSOLE_HOME", str(made.folder))
        try:
            yield made
        finally:
            made.close()


@pytest.fixture
def home(_kept: Home, _own_home: None, monkeypatch: pytest.MonkeyPatch) -> Home:
    """The home of this file: of its console, its engine and its runs."""
    monkeypatch.setenv("MLCONSOLE_HOME", str(_kept.folder))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    return _kept
