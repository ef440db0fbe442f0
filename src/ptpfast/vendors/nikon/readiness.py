"""Wait until a body has done what an operation began.

Source: libgphoto2 (library.c), which polls DeviceReady after captures and in live view.
"""

from __future__ import annotations

import time

from ...ptp.errors import DeviceBusy
from ..dialect import Asks
from .codes import NikonOperation


def wait_until_ready(link: Asks, poll_s: float, limit_s: float) -> None:
    """Poll DeviceReady until the body accepts operations again.

    Args:
        link: the session's link.
        poll_s: seconds between two polls.
        limit_s: seconds after which DeviceBusy is raised.

    Raises:
        ResponseError: the error of the last operation.
    """
    if not link.supports(NikonOperation.DeviceReady):
        return
    give_up = time.monotonic() + limit_s
    while True:
        try:
            link.command(NikonOperation.DeviceReady, busy_s=0.0)
        except DeviceBusy:
            if time.monotonic() > give_up:
                raise
            link.pause(poll_s)
        else:
            return
