"""Reading a finished transfer."""

import pycurl
import pytest

from channels_app.gateways.exchange import Fate, HeaderLines, fate_of

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


FINAL = (b"HTTP/2 429 \r\n", b"Retry-After: 7\r\n", b"apns-id: a:b\r\n", b"odd\r\n", b"\r\n")


@pytest.mark.parametrize(
    ("name", "value"),
    [("retry-after", "7"), ("apns-id", "a:b"), ("odd", "nowhere"), ("location", "nowhere")],
)
def test_a_header_is_found_by_its_name(name: str, value: str) -> None:
    assert HeaderLines(FINAL).get(name, "nowhere") == value


def test_only_the_final_headers_count() -> None:
    interim = (b"HTTP/2 103 \r\n", b"link: </x>\r\n", b"\r\n")

    assert HeaderLines(interim + FINAL).get("link", "") == ""


def test_of_a_header_that_is_there_twice_the_last_counts() -> None:
    assert HeaderLines((*FINAL, b"apns-id: c\r\n")).get("apns-id", "") == "c"


def test_no_headers_are_no_headers() -> None:
    assert HeaderLines(()).get("retry-after", "") == ""
