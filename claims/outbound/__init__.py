"""Tells the platform, by signed webhooks of our own, what became of its conversations here.

A message is enqueued in the transaction of the change that it tells of; one process for all
(`pushbridge.outbound`) sends what is due. docs/outbound.md says what the platform may rely on.
"""

from claims.outbound.messages import enqueue

__all__ = ["enqueue"]
