"""A folder or file of the simulated camera's card: names, dates, sizes and datasets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from ..ptp.codes import SIZE_SATURATED, ObjectFormat
from ..ptp.datasets import ObjectInfoDataset, encode, format_date_time
from ..ptp.kinds import kind_of
from .content import Content, FileContent
from .thumbnail import HEIGHT, WIDTH, Thumbnails, embedded

PIXELS = (6000, 4000)

FORMATS: dict[str, int] = {
    **dict.fromkeys(("JPG", "JPEG", "JPE"), ObjectFormat.EXIF_JPEG),
    "AVI": ObjectFormat.AVI,
    "DNG": ObjectFormat.DNG,
    "HEIF": ObjectFormat.HEIF,
    "HIF": ObjectFormat.HEIF,
    "HEIC": ObjectFormat.HEIF,
    "MOV": ObjectFormat.QuickTime,
    "MP4": ObjectFormat.MP4,
    "MPG": ObjectFormat.MPEG,
    "TIF": ObjectFormat.TIFF,
    "TIFF": ObjectFormat.TIFF,
    "TXT": ObjectFormat.Text,
    "WAV": ObjectFormat.WAV,
}


@dataclass(frozen=True)
class StoredObject:
    """A folder or a file of the card; `content` is None for a folder."""

    handle: int
    storage_id: int
    parent: int  # handle of the folder, 0 at the root
    name: str
    format: int
    captured: datetime | None
    content: Content | None = None
    protected: bool = False
    thumbnails: Thumbnails | None = None

    @property
    def size(self) -> int:
        return self.content.size if self.content is not None else 0

    @property
    def is_folder(self) -> bool:
        return self.content is None

    @cached_property
    def thumbnail(self) -> bytes:
        """A real JPEG's own, else a made one; empty for what is no picture."""
        if isinstance(self.content, FileContent) and kind_of(self.name) == "jpeg":
            try:
                if own := embedded(self.content):
                    return own
            except OSError:
                return b""
        if self.thumbnails is None or not _is_picture(self.name):
            return b""
        return self.thumbnails.make(self.handle, self.name)

    @cached_property
    def info(self) -> ObjectInfoDataset:
        date = format_date_time(self.captured) if self.captured else ""
        picture = _is_picture(self.name)
        thumbnail = len(self.thumbnail)
        return ObjectInfoDataset(
            storage_id=self.storage_id,
            object_format=self.format,
            protection_status=int(self.protected),
            object_compressed_size=min(self.size, SIZE_SATURATED),
            thumb_format=ObjectFormat.EXIF_JPEG if thumbnail else 0,
            thumb_compressed_size=thumbnail,
            thumb_pix_width=WIDTH if thumbnail else 0,
            thumb_pix_height=HEIGHT if thumbnail else 0,
            image_pix_width=PIXELS[0] if picture else 0,
            image_pix_height=PIXELS[1] if picture else 0,
            image_bit_depth=24 if picture else 0,
            parent_object=self.parent,
            association_type=1 if self.is_folder else 0,
            filename=self.name,
            capture_date=date,
            modification_date=date,
        )

    @cached_property
    def encoded_info(self) -> bytes:
        return encode(self.info)


def _is_picture(name: str) -> bool:
    return kind_of(name) in ("raw", "jpeg", "heif")
