#!/usr/bin/env python3
"""The one command of Pushbridge: `python3 manage.py up`, `test`, or any Django command.

Runs with the system's Python and nothing else: it makes `.venv` when needed and goes on inside it.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - said plainly, rather than as a SyntaxError elsewhere
    sys.exit(f"Pushbridge needs Python 3.11 or newer; this is {sys.version.split()[0]}.")

from pushbridge import bootstrap

if __name__ == "__main__":
    sys.exit(bootstrap.main(sys.argv))
