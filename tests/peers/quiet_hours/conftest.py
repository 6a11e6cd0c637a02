"""The live comparison needs node; the recorded one needs nothing."""

from tests.peers.quiet_hours import running

collect_ignore = [] if running.is_possible() else ["test_live.py"]
