"""Options: flags over environment over the file over defaults, and errors that say where the bad value stands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from workflows import locations
from workflows.configuration import Configuration, ConfigurationError, load


def write(text: str) -> Path:
    path = locations.config_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture(autouse=True)
def _no_real_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLCONSOLE_DATA_DIR", raising=False)


def test_a_folder_with_real_data_needs_no_pydantic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCONSOLE_DATA_DIR", "/data")
    program = "import sys; from workflows.configuration import load; print(load().data_dir, 'pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "/data False"


def test_nothing_configured_gives_the_defaults_without_pydantic() -> None:
    program = "import sys; from workflows.configuration import load; load(); print('pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert load() == Configuration()


def test_flags_win_over_environment_over_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write('region = "eu-west-1"\nprofile = "file"\ninterface = "high"\n[engine]\ntime_scale = 0.5\n')
    monkeypatch.setenv("MLCONSOLE_PROFILE", "environment")
    monkeypatch.setenv("MLCONSOLE_INTERFACE", "high")
    loaded = load({"interface": "low", "role": None})
    assert (loaded.region, loaded.profile, loaded.interface) == ("eu-west-1", "environment", "low")
    assert loaded.engine_time_scale == 0.5


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('target = "moon"', ["config.toml, line 1: target", "'moon'", "embedded"]),
        ("[engine]\nport = 70000", ["config.toml, line 2: engine.port", "70000", "65535"]),
        ("[engine]\naccount_id = '12'", ["config.toml, line 2: engine.account_id", "'12'"]),
        ("colour = 1", ["no option 'colour'", "target"]),
        ("[engine]\ncolour = 1", ["no option 'engine.colour'"]),
        ("engine = 1", ["engine must be a table"]),
        ("target = ", ["is not TOML"]),
    ],
)
def test_a_bad_file_is_named_with_key_value_and_remedy(text: str, parts: list[str]) -> None:
    write(text)
    with pytest.raises(ConfigurationError) as caught:
        load()
    assert str(locations.config_file()) in str(caught.value)
    for part in parts:
        assert part in str(caught.value)


def test_a_bad_variable_and_a_bad_flag_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match=r"--target cannot be 'x'"):
        load({"target": "x"})
    monkeypatch.setenv("MLCONSOLE_ENGINE_TIME_SCALE", "fast")
    with pytest.raises(ConfigurationError, match=r"MLCONSOLE_ENGINE_TIME_SCALE cannot be 'fast'"):
        load()


def test_the_manifest_keeps_no_keys() -> None:
    secret = Configuration(engine_access_key="A" * 20, engine_secret_key="b" * 40)
    assert "b" * 40 not in str(secret.as_dict())
    assert Configuration.from_dict(secret.as_dict() | {"unknown": 1}) == Configuration()


def test_every_path_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, path, variable in locations.as_table():
        assert path.is_absolute()
        monkeypatch.setenv(variable, str(tmp_path / name))
    assert {path for _, path, _ in locations.as_table()} == {
        tmp_path / name for name, _, _ in locations.as_table()
    }


def test_home_moves_everything_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MLCONSOLE_HOME", str(tmp_path))
    assert all(path.is_relative_to(tmp_path) for _, path, _ in locations.as_table())
