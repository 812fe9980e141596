"""One field of one secret in HashiCorp Vault's KV engine, version 2."""

from __future__ import annotations

from bots.key_settings import VaultSettings
from bots.secrets import SecretError, resolve

TIMEOUT_S = 5
INSTALL = "python3 -m pip install --require-hashes -r requirements-vault.txt"


def read(place: str, settings: VaultSettings) -> str:
    """`place` is ``MOUNT/PATH#FIELD``. Raises `SecretError`, with no word of a secret in it."""
    path, _, field = place.partition("#")
    mount, _, path = path.strip("/").partition("/")
    named = f"vault:{place}"
    token = resolve(settings.token)
    # An extra that only who keeps a key in Vault has installed, and waits for.
    try:
        import hvac  # noqa: PLC0415
        from hvac.exceptions import Forbidden, InvalidPath, VaultError  # noqa: PLC0415
        from requests.exceptions import RequestException  # noqa: PLC0415
    except ImportError:
        raise SecretError(f"{named}: hvac is not installed: {INSTALL}") from None
    client = hvac.Client(
        url=settings.url,
        token=token,
        namespace=settings.namespace or None,
        verify=settings.authority or True,
        timeout=TIMEOUT_S,
        # A token does not follow to wherever an answer points.
        allow_redirects=False,
    )
    try:
        answer = client.secrets.kv.v2.read_secret_version(
            path, mount_point=mount, raise_on_deleted_version=True
        )
    except Forbidden:
        raise SecretError(
            f"{named}: Vault refuses this token: give {settings.token} the policy to read it"
        ) from None
    except InvalidPath:
        raise SecretError(
            f"{named}: Vault has no such secret: vault kv put {mount}/{path} …"
        ) from None
    except VaultError as error:
        raise SecretError(f"{named}: Vault cannot answer ({type(error).__name__})") from None
    except (RequestException, OSError) as error:
        raise SecretError(
            f"{named}: nobody answers at {settings.url} ({type(error).__name__})"
        ) from None
    return _field(answer, field, named)


def _field(answer: object, field: str, named: str) -> str:
    try:
        value = answer["data"]["data"][field]  # type: ignore[index]  # JSON from outside
    except (KeyError, TypeError):
        raise SecretError(f"{named}: the secret has no field {field!r}") from None
    if not isinstance(value, str) or not value.strip():
        raise SecretError(f"{named}: the field holds no text")
    return value.strip()
