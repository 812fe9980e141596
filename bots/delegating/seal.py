"""The signature under a delegation: its sender's, over the envelope that its row is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bots.hooks.envelope import Envelope
from bots.keys.signer import Signer, genuine
from storage import delegations, keys
from storage.delegation_tables import Delegation
from storage.delegations import NewDelegation, chain_of
from storage.key_tables import KeyAlgorithm
from storage.unit import Unit


def sealed(new: NewDelegation, signer: Signer) -> NewDelegation:
    """The same, signed by `signer`, whose key is its sender's."""
    keyed = replace(new, key_id=signer.key_id)
    return replace(keyed, signature=signer.sign(_envelope(keyed, keyed.chain).canonical()))


def resealed(row: Delegation, signer: Signer) -> Delegation:
    """The same row, whose words were changed by its own sender, under a new signature."""
    keyed = row.model_copy(update={"key_id": signer.key_id})
    signature = signer.sign(_envelope(keyed, chain_of(keyed)).canonical())
    return keyed.model_copy(update={"signature": signature})


async def own(unit: Unit, code: str, sender: str, now: datetime) -> Delegation | None:
    """The row, for its `sender` to change; None where there is none, or not as `sender` signed it:
    nobody puts his name under what others wrote.
    """
    row = await delegations.by_code(unit, code, to_change=True)
    if row is None or row.sender != sender or await objection(unit, row, now):
        return None
    return row


async def objection(unit: Unit, delegation: Delegation, now: datetime) -> str:
    """Why this row is not to be believed, in the transaction that takes it up; empty when it is."""
    key = await keys.verifying(unit, delegation.key_id, now)
    if key is None:
        return await keys.why_not(unit, delegation.key_id, now)
    if key.owner != delegation.sender:
        return f"key {key.key_id} is not {delegation.sender}'s"
    signed = _envelope(delegation, chain_of(delegation)).canonical()
    if not genuine(key, signed, delegation.signature):
        return f"its signature is not {delegation.sender}'s under these words"
    return ""


def _envelope(row: NewDelegation | Delegation, chain: tuple[str, ...]) -> Envelope:
    return Envelope(
        id=row.code,
        kind=row.kind,
        sender=row.sender,
        to=row.agent,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        nonce=row.code,
        hops=len(chain),
        reply_to=row.deliver_to,
        body={
            "instruction": row.instruction,
            "passed_to": row.passed_to,
            "chain": list(chain),
            "asked_by": row.asked_by,
            "priority": row.priority,
            "network": row.network,
            "channel": row.channel,
        }
        | ({"among": row.among} if row.among else {})
        | ({"talk": row.talk} if row.talk else {})
        | ({"is_private": True} if row.is_private else {}),
        alg=KeyAlgorithm.ED25519,
        key_id=row.key_id,
    )
