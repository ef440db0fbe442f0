"""Check, before a deletion, that an object ends where its file does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...ptp.errors import ProtocolError, ResponseError, TransferError, Unreadable
from ...transfer import ObjectReader

if TYPE_CHECKING:
    from ...ptp.objects import ObjectInfo
    from ...session.persistence import Persistence
    from ...session.session import Session

LONGER = "the object has more bytes than the file"
END_UNKNOWN = "the end of the object cannot be checked"


def why_not_the_end(
    session: Session,
    persistence: Persistence,
    info: ObjectInfo,
    size_of_file: Callable[[], int],
    *,
    in_parts: bool,
) -> str:
    """Return why the file may not be the whole object, '' if it is.

    The object may have grown, and partial reads do not show bytes behind the described end.
    """

    def look() -> str:
        size = size_of_file()
        reader = ObjectReader(session.camera, info, size=size)
        reader.find_end()
        if reader.size != size:
            return LONGER
        return END_UNKNOWN if in_parts and not reader.end_is_proven else ""

    try:
        return persistence.run(look, lambda: 0)
    except Unreadable as error:  # which says nothing about the length
        return f"{END_UNKNOWN}: {error.message}"
    except TransferError as error:
        return f"{LONGER}: {error.message}"
    except OSError as error:
        return f"the file here is not proven: {error.strerror or error}"
    except (ResponseError, ProtocolError) as error:
        if not session.usable:
            raise
        return f"{END_UNKNOWN}: {error.message}"
