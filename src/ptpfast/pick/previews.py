"""The large preview of a picture: from its RAW file by partial reads, else its JPEG."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..ptp.errors import PTPError, TransferError, Unsupported
from ..ptp.scope import Scope, scope_of

if TYPE_CHECKING:
    from ..session.session import Session
    from .picture import Picture

JPEG = b"\xff\xd8\xff"
LARGEST_JPEG = 64 << 20  # bytes of a JPEG file that is read as a whole


def preview_of(session: Session, picture: Picture | None) -> bytes:
    """Return the preview of a picture, a JPEG.

    Raises:
        Unsupported: the picture has none that a browser can show.
        TransferError: the picture is gone, or has changed.
        PTPError: the camera cannot be asked.
    """
    if picture is None:
        raise TransferError("this picture is not on the card any more")
    refused: PTPError | None = None
    for info in picture.infos:
        if info.kind == "jpeg" and (info.size or 0) > LARGEST_JPEG:
            continue
        if info.kind not in ("raw", "jpeg"):
            continue
        try:
            found = session.preview(info)
        except PTPError as error:
            if scope_of(error) is not Scope.OBJECT:
                raise
            refused = error
            continue
        if found.startswith(JPEG):
            return found
    raise refused or Unsupported(f"{picture.first.name} has no preview that a browser can show")
