"""The stub lists its models as the vendors do: read by their own SDKs, and by the doctor."""

from __future__ import annotations

from typing import Literal

import anthropic
import openai
import pytest

from bots.doctor.model_servers import Listed, listed
from brain.models.provider import ModelSpec
from tests.integration.vendors.asking import KEY
from tests.vendors.model_lists import STOCK
from tests.vendors.script import Script
from tests.vendors.server import serving


async def test_anthropics_sdk_reads_it_page_by_page() -> None:
    names = [f"claude-{number}" for number in range(5)]
    async with (
        serving(Script(models=names)) as stub,
        anthropic.AsyncAnthropic(api_key=KEY.value, base_url=stub.url) as client,
    ):
        first = await client.models.list(limit=2)
        assert [model.id for model in first.data] == names[:2]
        assert (first.has_more, first.last_id) == (True, names[1])
        found = [model async for model in client.models.list(limit=2)]
    assert [model.id for model in found] == names
    assert {(model.type, model.lifecycle, model.max_input_tokens) for model in found} == {
        ("model", "active", 200_000)
    }


async def test_openais_sdk_reads_it() -> None:
    async with (
        serving(Script(models=["gpt-a", "gpt-b"])) as stub,
        openai.AsyncOpenAI(api_key=KEY.value, base_url=stub.openai_url) as client,
    ):
        found = [model async for model in client.models.list()]
    assert [(model.id, model.object) for model in found] == [("gpt-a", "model"), ("gpt-b", "model")]


async def test_a_wrong_key_is_refused_in_each_vendors_words() -> None:
    async with (
        serving(Script(keys={"another"})) as stub,
        anthropic.AsyncAnthropic(api_key=KEY.value, base_url=stub.url) as one,
        openai.AsyncOpenAI(api_key=KEY.value, base_url=stub.openai_url) as other,
    ):
        with pytest.raises(anthropic.AuthenticationError, match="invalid x-api-key"):
            await one.models.list()
        with pytest.raises(openai.AuthenticationError, match="Incorrect API key"):
            await other.models.list()


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
async def test_the_doctor_reads_it(provider: Literal["anthropic", "openai"]) -> None:
    async with serving(Script()) as stub:
        url = stub.url if provider == "anthropic" else stub.openai_url
        spec = ModelSpec(name="main", provider=provider, model="m", base_url=url)
        answer = await listed(spec, KEY)
    reads = 200_000 if provider == "anthropic" else None
    assert answer == Listed(200, dict.fromkeys(STOCK[provider], reads))
