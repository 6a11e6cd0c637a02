"""Record the JavaScript libraries anew: `python -m tests.peers.record`.

Afterwards `git diff tests/peers/recorded` shows what a new version of them does otherwise.
"""

import json
from pathlib import Path

from tests.peers import running
from tests.peers.ours import apns_ids


def write(path: Path, content: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False, sort_keys=True) + "\n")


def main() -> None:
    write(running.RECORDED_APNS, running.apns_requests(apns_ids()))
    write(running.RECORDED_WEBHOOKS, running.webhook_signatures())


if __name__ == "__main__":
    main()
