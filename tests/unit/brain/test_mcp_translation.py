from __future__ import annotations

import re
from typing import Any

import mcp_types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.model import ToolSpec
from brain.tools.mcp_translation import fit_name, is_allowed, spec_of, text_of

NAMES = st.text(min_size=1, max_size=200)


@given(NAMES, NAMES)
def test_every_name_is_fit_for_the_vendors(server: str, tool: str) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", fit_name(server, tool))


@given(st.lists(st.tuples(NAMES, NAMES), unique=True, max_size=30))
def test_no_two_tools_share_a_name(tools: list[tuple[str, str]]) -> None:
    taken: set[str] = set()
    for server, tool in tools:
        name = fit_name(server, tool, taken)
        assert name not in taken
        taken.add(name)


def test_names_stay_readable() -> None:
    assert fit_name("files", "read_file") == "files__read_file"
    assert fit_name("files", "read.file") == "files__read_file"
    assert fit_name("files", "read.file", {"files__read_file"}).startswith("files__read_file_")


def test_an_allow_list_names_servers_or_single_tools() -> None:
    assert is_allowed({"files"}, "files", "read")
    assert is_allowed({"files.read"}, "files", "read")
    assert not is_allowed({"files.read"}, "files", "write")
    assert not is_allowed({"file"}, "files", "read")
    assert not is_allowed(set(), "files", "read")


def shown(schema: dict[str, Any]) -> ToolSpec | str:
    return spec_of("s", "s__t", mcp_types.Tool(name="t", input_schema=schema))


def test_a_schema_is_an_object_at_its_root_and_passed_through_below() -> None:
    inner = {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "a\u202eb"}
    spec = shown({"anyOf": [], "properties": {"x": inner}, "required": ["x"]})
    assert isinstance(spec, ToolSpec)
    assert spec.parameters == {
        "type": "object",
        "properties": {"x": {"anyOf": inner["anyOf"], "title": "a[U+202E]b"}},
        "required": ["x"],
    }


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        ({"properties": {"a b": {}}}, "names that models do not take"),
        ({"properties": ["x"]}, "names that models do not take"),
        ({"properties": {"x": {"description": "d" * 8_000}}}, "more than 8,000"),
    ],
)
def test_a_schema_that_vendors_would_refuse_is_left_out(
    schema: dict[str, Any], sentence: str
) -> None:
    told = shown(schema)
    assert isinstance(told, str)
    assert sentence in told


def test_results_that_are_no_text_are_named() -> None:
    link = mcp_types.ResourceLink(name="n", uri="file:///a", type="resource_link")
    held = mcp_types.EmbeddedResource(
        type="resource", resource=mcp_types.TextResourceContents(uri="file:///b", text="words")
    )
    blob = mcp_types.EmbeddedResource(
        type="resource", resource=mcp_types.BlobResourceContents(uri="file:///c", blob="AAAA")
    )
    result = mcp_types.CallToolResult(content=[link, held, blob])
    assert text_of(result).splitlines() == [
        "[resource file:///a]",
        "[resource file:///b]",
        "words",
        "[resource file:///c, 3 bytes]",
    ]
    bare = mcp_types.CallToolResult(content=[], structured_content={"a": "ö"})
    assert text_of(bare) == '{"a": "ö"}'
    assert text_of(mcp_types.CallToolResult(content=[])) == "(nothing)"
