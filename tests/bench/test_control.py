import pytest

from bench.control import ControlError, parse_rate

OUTPUT = """
finished in 1.51s, 199152.28 req/s, 13.29MB/s
requests: 300000 total, 300000 done, 300000 succeeded, {} failed, 0 errored, 0 timeout
"""


def test_the_rate_is_read_from_what_h2load_prints() -> None:
    assert parse_rate(OUTPUT.format(0)) == 199152.28


def test_a_control_with_failed_requests_is_no_control() -> None:
    with pytest.raises(ControlError):
        parse_rate(OUTPUT.format(3))
