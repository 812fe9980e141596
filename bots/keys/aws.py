"""One secret in AWS Secrets Manager."""

from __future__ import annotations

from bots.key_settings import AwsSettings
from bots.secrets import SecretError, resolve

TIMEOUT_S = 5
INSTALL = "python3 -m pip install --require-hashes -r requirements-aws.txt"


def read(secret_id: str, settings: AwsSettings) -> str:
    """The text of the secret. Raises `SecretError`, with no word of a secret in it."""
    named = f"aws:{secret_id}"
    # An extra that only who keeps a key at Amazon has installed, and waits for.
    try:
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    except ImportError:
        raise SecretError(f"{named}: boto3 is not installed: {INSTALL}") from None
    try:
        client = boto3.client(
            "secretsmanager",
            region_name=settings.region or None,
            endpoint_url=settings.endpoint or None,
            aws_access_key_id=_of(settings.access_key_id),
            aws_secret_access_key=_of(settings.secret_access_key),
            config=Config(
                connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S, retries={"total_max_attempts": 2}
            ),
        )
        value = client.get_secret_value(SecretId=secret_id).get("SecretString")
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown error")
        raise SecretError(f"{named}: AWS says {code}: check its name, region and policy") from None
    except (BotoCoreError, ValueError) as error:
        raise SecretError(f"{named}: AWS cannot be asked ({type(error).__name__})") from None
    if not isinstance(value, str) or not value.strip():
        raise SecretError(f"{named}: holds no text: store the key as SecretString")
    return value.strip()


def _of(reference: str | None) -> str | None:
    return resolve(reference) if reference else None
