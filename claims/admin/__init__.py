"""The admin's pages of conversations. One module for each concept.

Django's autodiscovery imports this package; each module registers its pages.
"""

from claims.admin import conversations, ladders, outbound, outbound_messages, reachability

__all__ = ["conversations", "ladders", "outbound", "outbound_messages", "reachability"]
