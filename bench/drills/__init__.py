"""Kill drills: a whole system at work, something of it killed, and every banner counted.

`python3 -m bench.drills` plays all of them (docs/decisions/promises.md says what each one shows).
"""
