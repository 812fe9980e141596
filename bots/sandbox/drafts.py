"""A message that somebody wants to send: read from a form, checked, not yet in any channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bots.sandbox import components, embeds
from bots.sandbox.errors import refusal
from bots.sandbox.forms import Form, Problems
from bots.sandbox.mentions import Allowed
from bots.sandbox.model import MessageFlag

#: without the field ``allowed_mentions`` every mention counts
ANY = Allowed()
MOST_CHARACTERS = 2_000
MOST_FILES = 10
#: bytes of all files of one message together
MOST_BYTES = 25 * 1024 * 1024
_MOST_NONCE = 25
#: flags that a sender may set; the others are ignored
_SETTABLE = (
    MessageFlag.SUPPRESS_EMBEDS
    | MessageFlag.SUPPRESS_NOTIFICATIONS
    | MessageFlag.IS_COMPONENTS_V2
    | MessageFlag.EPHEMERAL
)


@dataclass(frozen=True, kw_only=True)
class File:
    """An uploaded file."""

    filename: str
    data: bytes
    content_type: str
    description: str | None = None


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The message that a reply answers."""

    message_id: int
    channel_id: int | None = None
    must_exist: bool = True


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What will be sent."""

    content: str = ""
    embeds: list[dict[str, Any]] = field(default_factory=list)
    components: list[dict[str, Any]] = field(default_factory=list)
    files: tuple[File, ...] = ()
    allowed: Allowed = ANY
    flags: int = 0
    nonce: str | int | None = None
    enforce_nonce: bool = False
    reference: Reference | None = None
    tts: bool = False

    @property
    def ephemeral(self) -> bool:
        return bool(self.flags & MessageFlag.EPHEMERAL)


def read(
    body: dict[str, Any],
    files: tuple[File, ...] = (),
    *,
    at: str = "",
    layout: bool = False,
    may_be_empty: bool = False,
) -> Draft:
    """The draft in `body`, a message form that lies at path `at` of its request.

    `layout`: the message is known to carry IS_COMPONENTS_V2.

    :raises ApiError: 50035 for wrong fields, 50006 for an empty message, 40005 for too many bytes
    """
    problems = Problems()
    form = Form(body, problems, at)
    flags = MessageFlag(form.integer("flags", least=0) & _SETTABLE)
    layout = layout or MessageFlag.IS_COMPONENTS_V2 in flags
    draft = Draft(
        content=form.text("content", most=MOST_CHARACTERS),
        embeds=embeds.read(form),
        components=components.of_message(form, layout=layout),
        files=described(form, files),
        allowed=allowed(form),
        flags=int(flags),
        nonce=_nonce(form),
        enforce_nonce=form.flag("enforce_nonce"),
        reference=_reference(form),
        tts=form.flag("tts"),
    )
    problems.check()
    check_size(draft.files)
    if layout and (draft.content or draft.embeds):
        problem = "The 'content' and 'embeds' fields cannot be used with IS_COMPONENTS_V2"
        problems.add("", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", problem)
        problems.check()
    empty = not (draft.content.strip() or draft.embeds or draft.components or draft.files)
    if empty and not may_be_empty:
        raise refusal(50006)
    return draft


def check_size(files: tuple[File, ...]) -> None:
    """:raises ApiError: 40005, when the files are more than a message may carry"""
    if sum(len(f.data) for f in files) > MOST_BYTES:
        raise refusal(40005)


def described(form: Form, files: tuple[File, ...]) -> tuple[File, ...]:
    """`files` with the names and descriptions that the form's ``attachments`` give them."""
    if len(files) > MOST_FILES:
        form.wrong("files", "BASE_TYPE_MAX_LENGTH", f"Must be {MOST_FILES} or fewer in length.")
    told: dict[int, Form] = {}
    for part in form.forms("attachments", most=MOST_FILES):
        number = part.snowflake("id")
        if number is not None:
            told[number] = part
    shown = []
    for number, file in enumerate(files):
        part = told.get(number, Form({}, form.problems))
        shown.append(
            File(
                filename=part.text("filename", most=260, default=file.filename) or "unknown",
                data=file.data,
                content_type=file.content_type,
                description=part.optional_text("description", most=1_024),
            )
        )
    return tuple(shown)


def allowed(form: Form) -> Allowed:
    """The field ``allowed_mentions``; without it every mention counts."""
    part = form.form("allowed_mentions")
    if part is None:
        return ANY
    kinds = part.items("parse", most=3)
    for number, kind in enumerate(kinds):
        if kind not in ("users", "roles", "everyone"):
            message = "Value must be one of ('users', 'roles', 'everyone')."
            part.wrong(f"parse.{number}", "BASE_TYPE_CHOICES", message)
    for kind in ("users", "roles"):
        if kind in kinds and part.items(kind, most=100):
            message = f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.'
            part.wrong("", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", message)
    return Allowed(
        everyone="everyone" in kinds,
        users=None if "users" in kinds else frozenset(part.snowflakes("users")),
        roles=None if "roles" in kinds else frozenset(part.snowflakes("roles")),
        replied_user=part.flag("replied_user"),
    )


def _nonce(form: Form) -> str | int | None:
    value = form.raw("nonce")
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    return form.text("nonce", most=_MOST_NONCE)


def _reference(form: Form) -> Reference | None:
    part = form.form("message_reference")
    if part is None:
        return None
    part.require("message_id")
    message_id = part.snowflake("message_id")
    if message_id is None:
        return None
    return Reference(
        message_id=message_id,
        channel_id=part.snowflake("channel_id"),
        must_exist=part.flag("fail_if_not_exists", default=True),
    )
