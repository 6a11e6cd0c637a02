from pathlib import Path

from bench.gateway import Arrival, ArrivalReader


def test_what_is_written_is_read_once(tmp_path: Path) -> None:
    log = tmp_path / "arrivals.log"
    log.write_text("1764000000.123 /3/device/aa conv-1\n")
    reader = ArrivalReader(log, 0)
    assert reader.new() == [Arrival(1764000000.123, "/3/device/aa", "conv-1")]
    assert reader.new() == []


def test_a_line_that_the_buffer_cut_in_two_is_waited_for(tmp_path: Path) -> None:
    log = tmp_path / "arrivals.log"
    log.write_text("1764000000.1")
    reader = ArrivalReader(log, 0)
    assert reader.new() == []
    with log.open("a") as file:
        file.write("23 /3/device/aa conv-1\n")
    assert reader.new() == [Arrival(1764000000.123, "/3/device/aa", "conv-1")]
