from bench.measuring import Measurement
from bench.report import Results, markdown
from bench.rounds import Round


def measured(events: int, seconds: float, p99_ms: float = 40.0) -> Measurement:
    return Measurement(
        events=events,
        pushes=events,
        missing=0,
        duplicates=0,
        seconds=seconds,
        p50_ms=p99_ms / 2,
        p99_ms=p99_ms,
        cpu={"web": 0.5, "workers": 0.5},
    )


def played(rate: float, p99_ms: float, statements: float, steady_seconds: float = 10.0) -> Round:
    return Round(
        one=measured(1000, 1000 / rate),
        hundred=measured(1000, 1000 / rate),
        steady=measured(400, steady_seconds, p99_ms),
        statements_per_event=statements,
        unaccounted=0,
    )


def results(recipe: list[Round], pushbridge: list[Round]) -> Results:
    return Results("2 cores", 150_000, 140_000, recipe, pushbridge)


def test_the_table_holds_medians_and_how_many_times_better() -> None:
    table = markdown(
        results(
            [played(70, 50, 24), played(80, 45, 24), played(500, 1, 24)],
            [played(800, 15, 12), played(1, 99, 12), played(900, 10, 12)],
        )
    )
    assert "| events/s to 1 device | 80 | 800 | 10.0 × |" in table
    assert "p99, ms | 45.0 | 15.0 | 3.0 × |" in table
    assert (
        "| SQL statements per event at 40 events/s to 10 devices | 24.0 | 12.0 | 2.0 × |" in table
    )


def test_a_system_that_did_not_keep_up_is_named() -> None:
    table = markdown(results([played(70, 50, 24, steady_seconds=12.0)], [played(800, 15, 12)]))
    assert "The recipe did not keep up with 40 events/s in 1 rounds." in table
    assert "Pushbridge did not keep up" not in table
