"""The events of a download in the log."""

from __future__ import annotations

from pathlib import Path

from ..link.camera import Camera
from ..logs import tell
from ..ptp.objects import ObjectInfo


def tell_received(camera: Camera, info: ObjectInfo, size: int, seconds: float) -> None:
    """Log that all bytes of an object are in its part file, `size` of them just received."""
    tell(
        "object_received",
        camera=camera.link.connection.address,
        handle=info.handle,
        object=info.name,
        bytes=size,
        seconds=seconds,
    )


def tell_stored(camera: Camera, info: ObjectInfo, path: Path, size: int, seconds: float) -> None:
    """Log that a file has its final name, `seconds` after its last byte."""
    tell(
        "object_stored",
        camera=camera.link.connection.address,
        handle=info.handle,
        object=info.name,
        path=path,
        bytes=size,
        seconds=seconds,
    )
