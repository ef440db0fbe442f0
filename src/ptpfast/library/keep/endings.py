"""Whether an object ends where the file that was made of it does, asked before it is deleted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...ptp.errors import ProtocolError, ResponseError, TransferError
from ...transfer import ObjectReader

if TYPE_CHECKING:
    from ...ptp.objects import ObjectInfo
    from ...session.persistence import Persistence
    from ...session.session import Session

LONGER = "it has more bytes than the file here"
END_UNKNOWN = "whether it ends where the file does cannot be told"


def why_not_the_end(
    session: Session, persistence: Persistence, info: ObjectInfo, path: Path, *, in_parts: bool
) -> str:
    """Why the file may not be all of the object, '' if it is: it may have grown since, and what was
    read in parts, as long as it was described, says nothing of what is behind that."""

    def look() -> str:
        size = path.stat().st_size
        reader = ObjectReader(session.camera, info, size=size)
        reader.find_end()
        if reader.size != size:
            return LONGER
        return END_UNKNOWN if in_parts and not reader.end_is_proven else ""

    try:
        return persistence.run(look, lambda: 0)
    except TransferError as error:
        return f"{LONGER}: {error.message}"
    except OSError as error:
        return f"the file here is not proven: {error.strerror}"
    except (ResponseError, ProtocolError) as error:
        if not session.usable:
            raise
        return f"{END_UNKNOWN}: {error.message}"
