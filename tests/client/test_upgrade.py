"""What is told of an upgrade."""

from __future__ import annotations

from shpool.client.upgrade import said
from shpool.protocol.upgrading import UpgradeReply


def test_what_went_over_is_counted() -> None:
    reply = UpgradeReply("Upgraded", "", "0.1.0", "0.2.0", 12, 3, 1)
    assert said(reply) == "0.1.0 -> 0.2.0: 12 sessions, 3 clients, 1 subscriber"
    reply = UpgradeReply("Possible", "", "0.2.0", "0.2.0", 1, 0, 2)
    assert said(reply) == "0.2.0 -> 0.2.0 is possible: 1 session, 0 clients, 2 subscribers"
