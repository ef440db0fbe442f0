"""Live view: start it, read frame by frame, end it.

Sources: libgphoto2 (config.c, library.c) for the order and the prohibitions, zcine
(PTPLiveViewObject.swift, and its notes on the original Z bodies) for the frames.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from ...ptp.datasets import DeviceInfo
from ...ptp.errors import ProtocolError, ResponseError, Unsupported
from ..dialect import Asks
from ..leaving import leaving
from .codes import IN_MEMORY, NikonOperation, NikonProperty, NikonResponse
from .datasets import parse_frame
from .generations import is_nikon_1
from .properties import number, set_number
from .readiness import wait_until_ready

log: logging.Logger = logging.getLogger("ptpfast")

READY_POLL_S, READY_S = 0.02, 2.0
MAX_FRAME = 16 << 20  # bytes; real ones have some hundred thousand
BAD_PAUSE_S = 0.02
MOST_BAD = 50  # frames in a row without a picture; the first one can be such
MOST_STARTS = 3
# As zcine polls while it streams, and while events come.
FRAMES_A_POLL, FRAMES_A_POLL_WITH_EVENTS = 8, 2
REMOTE, CAMERA = 1, 0  # of ChangeCameraMode

# The bits of LiveViewProhibitCondition.
PROHIBITIONS = {
    8: "the battery is too low",
    12: "a picture in its memory has not been fetched",
    14: "there is no card",
    15: "it is taking a picture",
    17: "it is too hot",
    18: "the card is write-protected",
    19: "the card has an error",
    20: "the card is not formatted",
    31: "its mode is none of P, S, A and M",
}


def frames(link: Asks, info: DeviceInfo, poll: Callable[[], bool]) -> Iterator[bytes]:
    """Yield live view frames until it is closed, then end live view.

    Args:
        link: the session's link.
        info: the camera's DeviceInfo.
        poll: polls for events and publishes them; called every few frames. It returns whether
            there were any.

    Raises:
        Unsupported: the camera has no live view, or refuses it now.
    """
    operation = next(
        (
            each
            for each in (NikonOperation.GetLiveViewImageEx, NikonOperation.GetLiveViewImg)
            if link.supports(each)
        ),
        None,
    )
    if operation is None or not link.supports(NikonOperation.StartLiveView):
        raise Unsupported("no live view is known for this camera")
    host_mode = is_nikon_1(info) and link.supports(NikonOperation.ChangeCameraMode)
    media = number(link, NikonProperty.RecordingMedia, "u8")
    with leaving(lambda: _end(link, media, host_mode=host_mode)):
        if host_mode:
            link.command(NikonOperation.ChangeCameraMode, REMOTE)
        if media is not None and media != IN_MEMORY:
            set_number(link, NikonProperty.RecordingMedia, IN_MEMORY)
        if not number(link, NikonProperty.LiveViewStatus, "u8"):
            _start(link)
        left = FRAMES_A_POLL
        for frame in _read(link, operation):
            left -= 1
            if not left:
                left = FRAMES_A_POLL_WITH_EVENTS if poll() else FRAMES_A_POLL
            yield frame


def _start(link: Asks) -> None:
    try:
        link.command(NikonOperation.StartLiveView)
        wait_until_ready(link, READY_POLL_S, READY_S)
    except ResponseError as error:
        why = _prohibited(link)
        if not why:
            raise
        raise Unsupported(f"the camera shows no live view now: {why}") from error


def _prohibited(link: Asks) -> str:
    """Return why the camera refuses live view, as far as it tells."""
    bits = number(link, NikonProperty.LiveViewProhibition, "u32") or 0
    said = [PROHIBITIONS.get(bit, f"condition {bit}") for bit in range(32) if bits >> bit & 1]
    return ", ".join(said)


def _read(link: Asks, operation: int) -> Iterator[bytes]:
    bad = starts = 0
    while True:
        try:
            frame = parse_frame(link.fetch(operation, limit=MAX_FRAME))
        except ResponseError as error:
            if error.code != NikonResponse.NotLiveView or starts == MOST_STARTS:
                raise
            starts += 1
            _start(link)
            continue
        if frame is not None:
            bad = 0
            yield frame
            continue
        bad += 1
        if bad > MOST_BAD:
            raise ProtocolError(f"{bad} live view frames in a row have no picture")
        link.pause(BAD_PAUSE_S)


def _end(link: Asks, media: int | None, *, host_mode: bool) -> None:
    with ExitStack() as each:  # from the last one on, also if one is refused
        if host_mode:
            each.callback(link.command, NikonOperation.ChangeCameraMode, CAMERA)
        if media is not None and media != IN_MEMORY:
            each.callback(set_number, link, NikonProperty.RecordingMedia, media)
        link.command(NikonOperation.EndLiveView)
        wait_until_ready(link, READY_POLL_S, READY_S)
