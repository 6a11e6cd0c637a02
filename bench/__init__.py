"""The benchmark: Pushbridge and the obvious recipe, in turns, against one fast gateway.

`python3 manage.py bench` runs it; docs/performance.md says what it measures and what it does not.
"""
