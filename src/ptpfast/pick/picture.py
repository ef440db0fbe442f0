"""A picture on the page: the files of one shot, as the page is told about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from ..engine.text import printable
from ..library.plan.shots import Shot
from ..ptp.kinds import KINDS
from ..ptp.objects import ObjectInfo, card_name

# What came of a file. queued: it waits. now: it arrives. here: its file was in the folder already.
Status = Literal["", "queued", "now", "done", "here", "failed"]
Take = Literal["both", "raw", "jpeg"]
TAKES: tuple[Take, ...] = ("both", "raw", "jpeg")
# The status of a picture is that of its files which comes first.
_ORDER: tuple[Status, ...] = ("now", "queued", "failed", "done", "here", "")
LONGEST = 255  # characters of a name that the page is told

# Identifies a file after a reconnect, when the camera may have given its objects other handles.
Key = tuple[int, str, int | None, str]


def key_of(info: ObjectInfo) -> Key:
    """Return the key that identifies a file in another session."""
    return info.storage_id, info.path, info.size, str(info.captured)


@dataclass(slots=True)
class File:
    """A file of a picture.

    new: never downloaded; None if the history cannot tell. marked: for transfer, on the camera.
    """

    info: ObjectInfo
    new: bool | None = None
    marked: bool = False
    status: Status = ""
    reason: str = ""


@dataclass(slots=True, eq=False)
class Picture:
    """The files of a shot. `number` is the page's name for it, and never another picture's."""

    number: int
    shot: Shot
    files: dict[Key, File] = field(default_factory=dict)
    thumbnail_failed: bool = False

    @property
    def infos(self) -> list[ObjectInfo]:
        """The files, RAW first."""
        found = [file.info for file in self.files.values()]
        return sorted(found, key=lambda info: KINDS.index(info.kind))

    @property
    def first(self) -> ObjectInfo:
        """The file that gives the picture its name and date."""
        return self.infos[0]

    @property
    def small(self) -> ObjectInfo:
        """The file whose thumbnail is asked for."""
        return next((info for info in self.infos if info.kind == "jpeg"), self.first)

    def chosen(self, take: Take) -> list[ObjectInfo]:
        """Return the files to download: all, or one half of a RAW file with its JPEG or HEIF."""
        infos = self.infos
        raws = [info for info in infos if info.kind == "raw"]
        developed = [info for info in infos if info.kind in ("jpeg", "heif")]
        if take == "both" or not raws or not developed:
            return infos
        left = developed if take == "raw" else raws
        return [info for info in infos if info not in left]

    def record(self) -> dict[str, Any]:
        """Return what the page is told. All text is safe to show in one line."""
        infos, files = self.infos, list(self.files.values())
        first = infos[0]
        taken = first.captured or first.modified
        stem, dot, _ = first.name.rpartition(".")
        statuses = {file.status for file in files}
        status = next(each for each in _ORDER if each in statuses)
        news = [file.new for file in files if file.new is not None]
        ratings = [info.rating for info in infos if info.rating is not None]
        return {
            "id": self.number,
            "name": _shown(stem if dot and stem else first.name),
            "types": [_shown(info.extension) for info in infos],
            "kinds": list(dict.fromkeys(info.kind for info in infos)),
            "folder": _shown(first.path.rpartition("/")[0]),
            "card": card_name(first.storage_id) if first.storage_id else "",
            "day": taken.isoformat()[:10] if taken else "",
            "time": taken.isoformat()[11:19] if taken else "",
            "sizes": [info.size for info in infos],
            "protected": any(info.protected for info in infos),
            "marked": any(file.marked for file in files),
            "rating": max(ratings, default=None),
            "new": any(news) if news else None,
            "status": status,
            "reason": "; ".join(_shown(file.reason) for file in files if file.reason),
        }


def _shown(text: str) -> str:
    return printable(text)[:LONGEST]
