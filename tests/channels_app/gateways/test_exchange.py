"""Reading a finished transfer."""

import pycurl
import pytest

from channels_app.gateways.exchange import Fate, fate_of, parse_headers

REWIND = "necessary data rewind was not possible"


@pytest.mark.parametrize(
    ("code", "message", "status", "body_taken", "fate"),
    [
        (0, "", 200, True, Fate.ANSWERED),
        (0, "", 410, True, Fate.ANSWERED),
        (pycurl.E_FILESIZE_EXCEEDED, "", 400, True, Fate.ANSWERED),
        (pycurl.E_RECV_ERROR, "reset", 201, True, Fate.ANSWERED),
        (pycurl.E_COULDNT_CONNECT, "refused", 0, False, Fate.UNSENT),
        (pycurl.E_OPERATION_TIMEDOUT, "", 0, False, Fate.UNSENT),
        (pycurl.E_SEND_FAIL_REWIND, REWIND, 0, True, Fate.UNSENT),
        (pycurl.E_SEND_FAIL_REWIND, "Recv failure: reset", 0, True, Fate.UNANSWERED),
        (pycurl.E_OPERATION_TIMEDOUT, "", 0, True, Fate.UNANSWERED),
        (pycurl.E_RECV_ERROR, "reset", 0, True, Fate.UNANSWERED),
        (pycurl.E_HTTP2, "", 103, True, Fate.UNANSWERED),
    ],
)
def test_a_fate_is_read_from_what_libcurl_knows(
    code: int, message: str, status: int, body_taken: bool, fate: Fate
) -> None:
    assert fate_of(code=code, message=message, status=status, body_taken=body_taken) is fate


def test_only_the_final_headers_count() -> None:
    raw = (
        b"HTTP/2 103 \r\nlink: </x>\r\n\r\n"
        b"HTTP/2 429 \r\nRetry-After: 7\r\napns-id: a:b\r\nodd\r\n\r\n"
    )

    assert parse_headers(raw) == {"retry-after": "7", "apns-id": "a:b", "odd": ""}


def test_no_headers_are_no_headers() -> None:
    assert parse_headers(b"") == {}
