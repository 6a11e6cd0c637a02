"""Running the JavaScript libraries, and recording what they send and sign."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
import trustme
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.channels_app.gateways.scripted_server import Seen, serving

HERE = Path(__file__).resolve().parent
BANNERS = HERE / "banners.json"
MESSAGES = HERE / "messages.json"
RECORDED_APNS = HERE / "recorded" / "apns.json"
RECORDED_WEBHOOKS = HERE / "recorded" / "webhooks.json"
SECONDS = 60


def is_possible() -> bool:
    """Whether node and the libraries of package.json are there (npm ci --prefix tests/peers)."""
    return shutil.which("node") is not None and (HERE / "node_modules").is_dir()


def node(script: str, *arguments: str, given: object) -> str:
    """Run a script of this folder with `given` as JSON on its standard input; its output.

    Raises RuntimeError, with what it said, if it fails.
    """
    done = subprocess.run(
        ["node", script, *arguments],
        cwd=HERE,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    if done.returncode:
        raise RuntimeError(f"{script}: {done.stdout}{done.stderr}")
    return done.stdout


def apns_requests(ids: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """What @parse/node-apn puts on the wire for each banner, given the apns-id to use."""
    names = [banner["name"] for banner in json.loads(BANNERS.read_text())]
    authority = trustme.CA()
    with (
        serving(authority, lambda talk, seen: talk.answer(seen)) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        ca_file, key_file = Path(folder) / "ca.pem", Path(folder) / "key.p8"
        authority.cert_pem.write_to_path(str(ca_file))
        key = ec.generate_private_key(ec.SECP256R1())
        key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        host = server.url.removeprefix("https://")
        node("send_apns.mjs", host, str(ca_file), str(key_file), given=ids)
        return {name: as_recorded(seen) for name, seen in zip(names, server.seen, strict=True)}


def as_recorded(seen: Seen) -> dict[str, Any]:
    """A request without what differs from run to run: the port, and the token's signature."""
    headers = dict(seen.headers)
    headers[":authority"] = headers[":authority"].rpartition(":")[0]
    scheme, _, token = headers["authorization"].partition(" ")
    headers["authorization"] = f"{scheme} <token>"
    claims = jwt.decode(token, options={"verify_signature": False})
    return {
        "headers": headers,
        "token": {
            "header": jwt.get_unverified_header(token),
            "issuer": claims["iss"],
            "claims": sorted(claims),
        },
        "payload": json.loads(seen.body),
    }


def webhook_signatures() -> list[dict[str, Any]]:
    """The messages of messages.json, each signed by both libraries."""
    signed: list[dict[str, Any]] = json.loads(
        node("sign_webhooks.mjs", given=json.loads(MESSAGES.read_text()))
    )
    return signed
