"""The interface of a recorder of connections."""

from __future__ import annotations

from typing import Protocol

from ..engine.channel import Channel


class Recorder(Protocol):
    """Something that records the bytes of connections, such as `ptpfast.Trace`."""

    def tapped(self, channel: Channel, host: str, port: int) -> Channel:
        """Return a channel that does what the given one does, and is recorded.

        Args:
            channel: an open connection, of which nothing was sent or received yet.
            host: the camera.
            port: the port of the camera that says what the packets are, such as 15740 for PTP/IP.
        """
        ...
