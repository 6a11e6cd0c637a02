"""`python -m channels_app.sandbox --state DIR --port P --page-port Q`."""

import argparse
import sys
from pathlib import Path

from channels_app.sandbox.server import Options, run


def main() -> int:
    """Parse the command line and serve; 1 if a port is taken."""
    parser = argparse.ArgumentParser(prog="channels_app.sandbox", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="keys, applications, phones")
    parser.add_argument("--port", type=int, required=True, help="APNs, FCM and Web Push (TLS)")
    parser.add_argument("--page-port", type=int, required=True, help="the wall and its API")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument(
        "--app-url", default="", help="the server of the app on the phones, for what is tapped"
    )
    given = parser.parse_args()
    try:
        run(Options(given.state, given.port, given.page_port, given.host, given.app_url))
    except OSError as error:
        print(f"The sandbox could not start: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
