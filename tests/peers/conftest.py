"""The live comparison needs node and the installed libraries; the recorded one needs nothing."""

from tests.peers import running

collect_ignore = [] if running.is_possible() else ["test_live.py"]
