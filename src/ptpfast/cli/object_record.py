"""An object of the camera as a line of JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..ptp.objects import ObjectInfo


def object_record(info: ObjectInfo) -> dict[str, object]:
    """Return the JSON fields of an object."""
    return {
        "handle": info.handle,
        "name": info.name,
        "size": info.size,
        "format": info.format,
        "captured": info.captured.isoformat() if info.captured else None,
        "path": info.path,
        "kind": info.kind,
        "storage_id": info.storage_id,
        "protected": info.protected,
        "rating": info.rating,
    }
