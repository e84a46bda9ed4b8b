"""A profile whose role takes the code of an MFA device, on moto's server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.aws.conftest import Moto
from workflows import mfa
from workflows.configuration import Configuration
from workflows.explain import explain
from workflows.platform import open_platform

PROFILE = Configuration(target="aws", profile="careful", region="eu-west-1")


@pytest.fixture
def home(tmp_path: Path, moto: Moto, aws: pytest.MonkeyPatch) -> Path:
    """A home directory with a profile that assumes a role so; nobody can be asked."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        aws.delenv(name)
    aws.setenv("HOME", str(tmp_path))
    aws.setenv("AWS_ENDPOINT_URL", moto.url)
    aws.setattr(mfa, "_asking", [])
    folder = tmp_path / ".aws"
    folder.mkdir()
    for name in ("CONFIG_FILE", "SHARED_CREDENTIALS_FILE"):
        aws.setenv(f"AWS_{name}", str(folder / name))
    (folder / "CONFIG_FILE").write_text(
        "[profile careful]\nrole_arn = arn:aws:iam::123456789012:role/Admin\nsource_profile = base\n"
        "mfa_serial = arn:aws:iam::123456789012:mfa/me\n"
        "[profile base]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI\n"
        "[profile dangling]\nrole_arn = arn:aws:iam::123456789012:role/Admin\nsource_profile = nobody\n",
        encoding="utf-8",
    )
    return tmp_path


def test_a_code_is_asked_for_once_and_only_where_somebody_can_answer(home: Path) -> None:
    with pytest.raises(Exception, match="needs the code of its MFA device") as refused:
        open_platform(PROFILE, observing=True, pricing=False)
    problem = explain(refused.value, "aws")
    assert problem.code == "mfa" and "--profile careful" in problem.remedy
    asked: list[str] = []
    mfa.ask_with(lambda prompt: asked.append(prompt) or "123456")
    assert open_platform(PROFILE, observing=True, pricing=False).account == "123456789012"
    assert len(asked) == 1 and "mfa/me" in asked[0]
    mfa._asking.clear()
    assert open_platform(PROFILE, observing=True, pricing=False).account, "from where the AWS CLI keeps it"
    (kept,) = (home / ".aws" / "cli" / "cache").iterdir()
    assert kept.stat().st_mode & 0o077 == 0


def test_a_profile_that_names_none_is_told_with_the_file_to_correct(home: Path) -> None:
    with pytest.raises(Exception, match="nobody") as wrong:
        open_platform(Configuration(target="aws", profile="dangling", region="eu-west-1"), observing=True)
    assert "~/.aws/config" in explain(wrong.value, "aws").remedy
