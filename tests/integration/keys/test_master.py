"""The master key comes from where swarm.toml says, or it is said where it should be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest

from bots.keys.master import MasterUnavailable, default_file, source_of
from bots.keys.sealing import Master
from bots.settings import Settings
from bots.state import StateFolder
from tests.integration.keys.vault_stub import TOKEN, Vault

ROOT = Path(__file__).parents[3]
KEY = Master.new()
VAULT_PLACE = ("", "secret", "parley/master")
VAULT_NAME = "vault:secret/parley/master#key"


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    folder = StateFolder(tmp_path / ".parley")
    folder.create()
    return folder


def settings(keys: dict[str, Any] | None = None) -> Settings:
    agents = [{"name": "captain", "role": "captain"}]
    return Settings.model_validate({"agents": agents, "keys": keys or {}})


def private(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o600)
    return f"file:{path}"


def in_vault(vault: Vault, folder: Path, **more: Any) -> Settings:
    token = private(folder / "token", TOKEN)
    table = {"url": vault.url, "token": token} | more
    return settings({"master": VAULT_NAME, "vault": table})


def refused(found: Settings, state: StateFolder) -> str:
    with pytest.raises(MasterUnavailable) as why:
        source_of(found, state)()
    said = str(why.value)
    assert TOKEN not in said
    assert KEY.text not in said
    return said


# --- a file, the environment --------------------------------------------------------------------


def test_a_swarm_that_names_none_makes_one_for_itself_once(state: StateFolder) -> None:
    first = source_of(settings(), state)()
    path = default_file(state)
    assert path.stat().st_mode & 0o777 == 0o600
    assert source_of(settings(), state)() == first
    assert path.read_text() == first.text


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused(state: StateFolder, mode: int) -> None:
    source_of(settings(), state)()
    default_file(state).chmod(mode)
    assert "chmod 600" in refused(settings(), state)


def test_a_file_of_ones_own(state: StateFolder, tmp_path: Path) -> None:
    named = private(tmp_path / "own", f"{KEY.text}\n")
    assert source_of(settings({"master": named}), state)() == KEY
    assert not default_file(state).exists()


def test_a_named_file_is_not_made(state: StateFolder, tmp_path: Path) -> None:
    assert "no such file" in refused(settings({"master": f"file:{tmp_path}/none"}), state)


def test_what_is_no_key_is_refused_and_not_repeated(state: StateFolder, tmp_path: Path) -> None:
    named = private(tmp_path / "own", "hunter2-hunter2")
    said = refused(settings({"master": named}), state)
    assert "openssl rand -base64 32" in said
    assert "hunter2" not in said


def test_the_environment(state: StateFolder) -> None:
    """In a process of its own, which has one."""
    program = (
        "import sys; from pathlib import Path; from bots.settings import Settings; "
        "from bots.state import StateFolder; from bots.keys.master import source_of; "
        "found = Settings.model_validate({'agents': [{'name': 'c', 'role': 'c'}], "
        "'keys': {'master': 'env:PARLEY_MASTER'}}); "
        "print(source_of(found, StateFolder(Path(sys.argv[1])))().name)"
    )
    command = [sys.executable, "-c", program, str(state.path)]
    more = {"PARLEY_MASTER": KEY.text, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=more, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == KEY.name
    assert "not set" in refused(settings({"master": "env:PARLEY_NO_SUCH_MASTER"}), state)


# --- HashiCorp Vault ----------------------------------------------------------------------------


def test_vault(vault: Vault, state: StateFolder, tmp_path: Path) -> None:
    vault.secrets[VAULT_PLACE] = {"key": KEY.text, "other": "x"}
    assert source_of(in_vault(vault, tmp_path), state)() == KEY
    assert vault.asked == ["/v1/secret/data/parley/master"]


def test_vault_in_a_namespace(vault: Vault, state: StateFolder, tmp_path: Path) -> None:
    vault.secrets["team", "secret", "parley/master"] = {"key": KEY.text}
    assert source_of(in_vault(vault, tmp_path, namespace="team"), state)() == KEY
    assert "no such secret" in refused(in_vault(vault, tmp_path), state)


def test_vault_refuses_the_token(vault: Vault, state: StateFolder, tmp_path: Path) -> None:
    vault.secrets[VAULT_PLACE] = {"key": KEY.text}
    vault.tokens.clear()
    assert "refuses this token" in refused(in_vault(vault, tmp_path), state)


def test_vault_deleted_it(vault: Vault, state: StateFolder, tmp_path: Path) -> None:
    vault.secrets[VAULT_PLACE] = None
    assert "no such secret" in refused(in_vault(vault, tmp_path), state)


@pytest.mark.parametrize("fields", [{}, {"key": ""}, {"key": 7}, {"key": ["x"]}])
def test_vault_has_another_field(
    vault: Vault, state: StateFolder, tmp_path: Path, fields: dict[str, Any]
) -> None:
    vault.secrets[VAULT_PLACE] = fields
    assert "field" in refused(in_vault(vault, tmp_path), state)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_vault_is_sealed(vault: Vault, state: StateFolder, tmp_path: Path, status: int) -> None:
    vault.ailing = status
    assert "Vault cannot answer" in refused(in_vault(vault, tmp_path), state)


def test_vault_is_away(vault: Vault, state: StateFolder, tmp_path: Path) -> None:
    there = in_vault(vault, tmp_path)
    away = in_vault(Vault(url="http://127.0.0.1:9"), tmp_path)
    assert "nobody answers at http://127.0.0.1:9" in refused(away, state)
    assert "no such file" in refused(_without_token(there, tmp_path), state)


def _without_token(found: Settings, folder: Path) -> Settings:
    (folder / "token").unlink()
    return found


# --- AWS Secrets Manager ------------------------------------------------------------------------


def in_aws(url: str, folder: Path, secret_id: str = "parley/master") -> Settings:
    return settings(
        {
            "master": f"aws:{secret_id}",
            "aws": {
                "region": "eu-central-1",
                "endpoint": url,
                "access_key_id": private(folder / "id", "AKIA4711EXAMPLE"),
                "secret_access_key": private(folder / "secret", "aws-4711-value"),
            },
        }
    )


def put(url: str, name: str, **value: Any) -> None:
    client = boto3.client(
        "secretsmanager",
        region_name="eu-central-1",
        endpoint_url=url,
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    client.create_secret(Name=name, **value)


def test_aws(aws_url: str, state: StateFolder, tmp_path: Path) -> None:
    put(aws_url, "parley/master", SecretString=KEY.text)
    assert source_of(in_aws(aws_url, tmp_path), state)() == KEY


def test_aws_has_no_such_secret(aws_url: str, state: StateFolder, tmp_path: Path) -> None:
    said = refused(in_aws(aws_url, tmp_path, "parley/none"), state)
    assert "AWS says ResourceNotFoundException" in said
    assert "aws-4711-value" not in said


def test_aws_has_no_text(aws_url: str, state: StateFolder, tmp_path: Path) -> None:
    put(aws_url, "parley/bytes", SecretBinary=b"123")
    assert "SecretString" in refused(in_aws(aws_url, tmp_path, "parley/bytes"), state)


def test_aws_is_away(state: StateFolder, tmp_path: Path) -> None:
    assert "AWS cannot be asked" in refused(in_aws("http://127.0.0.1:9", tmp_path), state)


# --- what is not installed ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("package", "keys"),
    [
        ("hvac", {"master": VAULT_NAME, "vault": {"url": "http://x", "token": "env:HOME"}}),
        ("boto3", {"master": "aws:x"}),
    ],
)
def test_an_extra_that_is_missing_is_named(
    state: StateFolder, package: str, keys: dict[str, Any]
) -> None:
    """In a process of its own, as on a machine where nobody installed it."""
    program = (
        f"import sys; sys.modules[{package!r}] = None; from pathlib import Path; "
        "from bots.settings import Settings; from bots.state import StateFolder; "
        "from bots.keys.master import source_of, MasterUnavailable\n"
        f"found = Settings.model_validate({{'agents': [{{'name': 'c', 'role': 'c'}}], "
        f"'keys': {keys!r}}})\n"
        "try: source_of(found, StateFolder(Path(sys.argv[1])))()\n"
        "except MasterUnavailable as error: print(error)"
    )
    command = [sys.executable, "-c", program, str(state.path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"{package} is not installed" in done.stdout
    assert (ROOT / done.stdout.split()[-1]).is_file()
