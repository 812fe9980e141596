"""A delegation as the caller of a hook is told of it."""

from __future__ import annotations

from typing import Any

from storage.delegation_tables import Delegation, DelegationState, Deliver


def answer_of(delegation: Delegation) -> dict[str, Any]:
    """``{"id", "status", "result", "error", "progress", "delivered": {"target", "message_id",
    "proof"} | null, "undelivered", "agent", "chosen"}``.

    `undelivered` says why nothing shows the result in its channel, though it was wanted there.
    """
    delivered = None
    if delegation.deliver == Deliver.SENT:
        delivered = {
            "target": delegation.deliver_to,
            "message_id": delegation.delivered_id,
            "proof": delegation.delivered_proof,
        }
    return {
        "ok": True,
        "id": delegation.code,
        "runId": delegation.code,
        "status": str(delegation.state),
        "agent": delegation.passed_to or delegation.agent,
        "chosen": delegation.chosen.splitlines(),
        "progress": delegation.progress or None,
        "result": delegation.result or None,
        "error": delegation.error or None,
        "delivered": delivered,
        "undelivered": _undelivered(delegation),
    }


def completion_of(delegation: Delegation) -> dict[str, Any]:
    """As OpenClaw tells of one, to who asked with ``waitForCompletion``."""
    done = delegation.state == DelegationState.DONE
    told: dict[str, Any] = {
        "status": "ok" if done else "error",
        "replyDisposition": "visible" if delegation.result else "empty",
    }
    if delegation.deliver != Deliver.NOWHERE:
        told["delivered"] = delegation.deliver == Deliver.SENT
        told["deliveryAttempted"] = True
    if delegation.deliver in {Deliver.FAILED, Deliver.UNKNOWN}:
        told["deliveryError"] = "delivery-failed"
    return told


def _undelivered(delegation: Delegation) -> str | None:
    if delegation.deliver == Deliver.FAILED:
        return delegation.delivered_proof or "it could not be said there"
    if delegation.deliver == Deliver.UNKNOWN:
        return delegation.delivered_proof or "it was said, and nothing proves that it arrived"
    return None
