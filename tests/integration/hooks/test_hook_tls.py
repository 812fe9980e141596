"""Wider than this machine: TLS, the names that the swarm is known by, and nothing but hooks."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.integration.hooks.stage import CONTROL, TOKEN, Stage, staged

#: nothing listens wider in a test
ADDRESS = "127.0.0.1"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    public, private = certificate(tmp_path)
    async with staged(
        tmp_path, tls_certificate=str(public), tls_key=str(private), names=["hooks.example.org"]
    ) as opened:
        yield opened


@pytest.fixture
def trusting(tmp_path: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=tmp_path / "hooks.pem")


async def ask(
    stage: Stage, tls: ssl.SSLContext, method: str, path: str, **headers: str
) -> tuple[int, dict[str, object]]:
    port = stage.url.rpartition(":")[2]
    async with stage.http.request(
        method,
        f"https://localhost:{port}{path}",
        ssl=tls,
        json={"message": "x"} if method == "POST" else None,
        headers={**BEARER, **headers},
    ) as response:
        return response.status, await response.json()


async def test_hooks_come_by_tls(stage: Stage, trusting: ssl.SSLContext) -> None:
    assert stage.url.startswith("https://hooks.example.org:")
    assert (await ask(stage, trusting, "POST", "/hooks/agent"))[0] == 202
    status, answer = await ask(
        stage, trusting, "POST", "/hooks/agent", Host="HOOKS.example.org:8443"
    )
    assert status == 202
    assert answer["agent"] == "captain"


async def test_it_answers_to_its_names_only(stage: Stage, trusting: ssl.SSLContext) -> None:
    status, answer = await ask(stage, trusting, "POST", "/hooks/agent", Host="evil.example")
    assert (status, answer["code"]) == (403, "wrong_host")


async def test_it_has_no_kill_and_no_figures(stage: Stage, trusting: ssl.SSLContext) -> None:
    for method, path in (("POST", "/control/kill"), ("GET", "/metrics"), ("GET", "/status")):
        given = {"Authorization": f"Bearer {CONTROL}"}
        assert (await ask(stage, trusting, method, path, **given))[0] == 404
    assert await ask(stage, trusting, "GET", "/health") == (200, {"state": "ready"})


async def test_this_machine_needs_no_certificate(stage: Stage) -> None:
    local = stage.door.local_url
    assert local.startswith("http://127.0.0.1:")
    hook = stage.http.post(f"{local}/hooks/agent", json={"message": "x"}, headers=BEARER)
    kill = stage.http.post(f"{local}/control/kill", headers={"Authorization": f"Bearer {CONTROL}"})
    async with hook as handed, kill as killed:
        assert (handed.status, killed.status) == (202, 200)


async def test_who_speaks_no_tls_gets_no_answer(stage: Stage) -> None:
    with pytest.raises(aiohttp.ClientError):
        await stage.http.get(f"http://127.0.0.1:{stage.port}/health")


async def test_who_does_not_trust_the_certificate_does_not_send(stage: Stage) -> None:
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await ask(stage, ssl.create_default_context(), "POST", "/hooks/agent")
    assert stage.desk.orders == []


async def test_a_key_that_others_can_read_opens_no_door(tmp_path: Path) -> None:
    public, private = certificate(tmp_path)
    private.chmod(0o644)
    with pytest.raises(OSError, match="others can read the TLS key"):
        async with staged(tmp_path, tls_certificate=str(public), tls_key=str(private)):
            pass


async def test_a_key_of_another_certificate_opens_no_door(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    public, _ = certificate(tmp_path)
    _, private = certificate(tmp_path / "other")
    with pytest.raises(OSError, match="KEY_VALUES_MISMATCH"):
        async with staged(tmp_path, tls_certificate=str(public), tls_key=str(private)):
            pass
    with pytest.raises(FileNotFoundError):
        async with staged(tmp_path, tls_certificate="nowhere", tls_key=str(private)):
            pass


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of its own authority for localhost, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(ADDRESS))]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "hooks.pem", folder / "hooks.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    paths[1].chmod(0o600)
    return paths
