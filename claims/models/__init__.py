"""Conversations, who holds them, who is told while nobody does, and what the platform is told."""

from claims.models.conversations import Conversation
from claims.models.ladders import Ladder, Unreachable, Wave
from claims.models.outbound import Endpoint, Message, MessageAttempt

__all__ = [
    "Conversation",
    "Endpoint",
    "Ladder",
    "Message",
    "MessageAttempt",
    "Unreachable",
    "Wave",
]
