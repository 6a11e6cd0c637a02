"""Frames sent past the h2 library, which would act on them itself (RFC 9113, section 6)."""

from hyperframe.frame import GoAwayFrame, SettingsFrame


def stream_limit(streams: int) -> bytes:
    """SETTINGS with MAX_CONCURRENT_STREAMS. The library would close the connection of a client
    that goes beyond it, where APNs refuses only the stream."""
    settings = {SettingsFrame.MAX_CONCURRENT_STREAMS: streams}
    return SettingsFrame(0, settings=settings).serialize()


def goaway(last_stream: int, error: int, debug: bytes) -> bytes:
    """GOAWAY. The library would let nothing be answered after it."""
    frame = GoAwayFrame(0, last_stream_id=last_stream, error_code=error)
    frame.additional_data = debug
    return frame.serialize()
