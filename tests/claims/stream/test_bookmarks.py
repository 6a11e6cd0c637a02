from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from claims.stream.bookmarks import MOST_MISSING, SETTLE_SECONDS, Tail

LATER = SETTLE_SECONDS + 1


def tail(high: int = 10, *missing: int) -> Tail:
    return Tail(high=high, missing=missing, now=0)


def test_without_a_gap_the_bookmark_is_the_greatest_id() -> None:
    log = tail(10)

    log.see([11, 13, 12], now=0)

    assert (log.bookmark, log.missing) == (13, [])


def test_the_bookmark_stays_below_what_may_still_come() -> None:
    log = tail(10)

    log.see([12, 15], now=0)
    assert (log.bookmark, log.missing) == (10, [11, 13, 14])

    log.see([11], now=0)
    assert (log.bookmark, log.missing) == (12, [13, 14])


def test_a_gap_is_forgotten_once_every_transaction_that_might_fill_it_has_ended() -> None:
    log = tail(10, 9)

    log.settle(oldest=100, following=105, now=LATER)
    log.settle(oldest=104, following=110, now=LATER)
    assert log.missing == [9]

    log.settle(oldest=105, following=111, now=LATER)
    assert (log.missing, log.bookmark) == ([], 10)


def test_a_gap_is_not_judged_before_its_transaction_has_surely_begun() -> None:
    log = tail(10, 9)

    log.settle(oldest=100, following=100, now=SETTLE_SECONDS - 1)
    log.settle(oldest=200, following=200, now=LATER)

    assert log.missing == [9]


def test_a_sequence_that_was_set_far_ahead_leaves_no_more_than_a_part_of_the_hole() -> None:
    log = tail(10)

    log.see([1_000_000_000], now=0)

    assert len(log.missing) == MOST_MISSING
    assert log.high == 1_000_000_000


@given(
    order=st.permutations(range(1, 30)),
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=29),
)
def test_nothing_is_lost_or_told_twice_in_whatever_order_ids_become_visible(
    order: list[int], sizes: list[int]
) -> None:
    log, visible, told = tail(0), set[int](), list[int]()
    rest = list(order)
    for size in [*sizes, len(rest)]:
        appearing, rest = rest[:size], rest[size:]
        visible |= set(appearing)
        wanted = set(log.missing)
        news = [one for one in visible if one > log.high or one in wanted]
        told += news
        log.see(news, now=0)
        assert set(range(1, log.bookmark + 1)) <= visible

    assert sorted(told) == list(range(1, 30))
    assert log.bookmark == 29
