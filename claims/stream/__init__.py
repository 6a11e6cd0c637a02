"""The live stream of an organization's conversations: the log of events, read as it grows.

`docs/decisions/stream.md` says why it is read so.
"""
