"""The one door: signed webhooks in, events out. `docs/events.md` is its contract."""
