"""Conversations, who holds them, and who is told while nobody does."""

from claims.models.conversations import Conversation
from claims.models.ladders import Ladder, Unreachable, Wave

__all__ = ["Conversation", "Ladder", "Unreachable", "Wave"]
