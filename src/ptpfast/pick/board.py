"""All that the pages show: the pictures, their thumbnails, the camera and the download.

The desk's thread changes it, and the server's reads it. Each change is noted for every open page.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..library.plan.shots import Shots
from ..ptp.objects import ObjectInfo
from .feed import Feed
from .picture import File, Key, Picture, Status, Take, key_of

# Bytes of thumbnails that are kept; further ones are asked for again when they come into view.
MOST_THUMBNAILS = 256 << 20
WAITING_MOST = 2000  # thumbnails in view that wait: of what was scrolled by, the oldest are dropped


@dataclass(frozen=True)
class Camera:
    """The camera as the page shows it.

    Attributes:
        state: `listing`, `ready`, or `lost` while it is connected to again.
        message: Why it is lost, or what else the user must know.
        listed, total: How many objects are described, and how many there are.
        knows_new: Whether the history tells which pictures are new.
    """

    name: str = ""
    state: str = "listing"
    message: str = ""
    listed: int = 0
    total: int = 0
    knows_new: bool = True


@dataclass(frozen=True)
class Download:
    """The download as the page shows it.

    Attributes:
        state: `idle`, `running`, `paused`, or `stopped` by an error, which `message` tells.
        files, done, failed: Counts of the files since the queue was last empty.
        size, received: Bytes of these.
        rate: Bytes per second.
        name: The file that arrives.
    """

    state: str = "idle"
    message: str = ""
    files: int = 0
    done: int = 0
    failed: int = 0
    size: int = 0
    received: int = 0
    rate: float = 0.0
    name: str = ""


class Board:
    """The board of one run. Thread-safe."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._feeds: list[Feed] = []
        self._pictures: dict[int, Picture] = {}
        self._by_key: dict[Key, Picture] = {}
        self._by_handle: dict[int, Key] = {}  # of this listing
        self._by_shot: dict[int, Picture] = {}  # by the identity of the shot
        self._shots = Shots()
        self._seen: set[Key] = set()  # in the listing that is under way
        self._next = 1
        self._thumbnails: OrderedDict[int, bytes] = OrderedDict()
        self._thumbnail_bytes = 0
        self._in_view: deque[int] = deque()
        self._unasked: deque[int] = deque()  # pictures without a thumbnail, in order
        self.camera: Camera = Camera()
        self.download: Download = Download()

    # Pages

    def subscribe(self, feed: Feed) -> None:
        """Tell a page of all changes from now on; the first it is told is everything."""
        with self._lock:
            self._feeds.append(feed)

    def leave(self, feed: Feed) -> None:
        """Forget a page."""
        with self._lock:
            self._feeds.remove(feed)

    def end(self) -> None:
        """End the feeds of all pages."""
        for feed in self._all_feeds():
            feed.end()

    def _all_feeds(self) -> list[Feed]:
        with self._lock:
            return list(self._feeds)

    def state(self) -> dict[str, Any]:
        """Return camera and download, as the page is told about them."""
        return {
            "camera": asdict(self.camera),
            "download": asdict(self.download),
            "folder": self._folder,
        }

    def records(self, numbers: Iterable[int] | None = None) -> list[dict[str, Any]]:
        """Return pictures as the page is told about them; all by default."""
        with self._lock:
            wanted = self._pictures if numbers is None else numbers
            return [self._pictures[each].record() for each in wanted if each in self._pictures]

    def set_camera(self, **changes: Any) -> None:
        """Change what is shown of the camera."""
        with self._lock:
            self.camera = replace(self.camera, **changes)
        for feed in self._all_feeds():
            feed.state()

    def set_download(self, **changes: Any) -> None:
        """Change what is shown of the download."""
        with self._lock:
            self.download = replace(self.download, **changes)
        for feed in self._all_feeds():
            feed.state()

    # Pictures

    def begin_listing(self) -> None:
        """Note that the card is listed from its beginning."""
        with self._lock:
            self._shots = Shots()
            self._by_shot.clear()
            self._by_handle.clear()
            self._seen.clear()
            for picture in self._pictures.values():
                picture.thumbnail_failed = False
        self.set_camera(state="listing", message="", listed=0, total=0)

    def add(self, listed: Iterable[File]) -> None:
        """Add listed files. A file that was listed before keeps its picture and its status."""
        with self._lock:
            changed = [number for file in listed for number in self._add(file)]
        self._tell(dict.fromkeys(changed))

    def _tell(self, numbers: Iterable[int]) -> None:
        for feed in self._all_feeds():
            for number in numbers:
                feed.picture(number)

    def _add(self, listed: File) -> list[int]:
        """Add a file; return the pictures that have changed."""
        key, shot = key_of(listed.info), self._shots.of(listed.info)
        self._seen.add(key)
        picture = self._by_shot.get(id(shot)) or self._by_key.get(key)
        if picture is None or picture.number not in self._pictures:
            picture = Picture(self._next, shot)
            self._next += 1
            self._pictures[picture.number] = picture
            self._unasked.append(picture.number)
        picture.shot = shot  # keeps it, and with it the number that stands for it
        changed = [picture.number]
        if (before := self._by_key.get(key)) is not None and before is not picture:
            self._take_out(before, key)
            changed.append(before.number)
        self._by_shot[id(shot)] = self._by_key[key] = picture
        if (file := picture.files.get(key)) is None:
            picture.files[key] = listed
            if picture.thumbnail_failed:
                picture.thumbnail_failed = False
                self._unasked.append(picture.number)
        else:
            file.info, file.new, file.marked = listed.info, listed.new, listed.marked
        was = self._by_handle.get(listed.info.handle, key)
        self._by_handle[listed.info.handle] = key
        # Another name, size or date: the file has changed since it was listed.
        return [*changed, *(self._forget(was) if was != key else [])]

    def remove(self, handles: Iterable[int]) -> None:
        """Forget files that were deleted from the card."""
        with self._lock:
            found = [each for each in handles if each in self._by_handle]
            keys = [self._by_handle.pop(each) for each in found]
            for each in found:
                self._shots.forget(each)
            changed = [number for key in keys for number in self._forget(key)]
        self._tell(changed)

    def _forget(self, key: Key) -> list[int]:
        """Forget a file; return its picture, if it had one."""
        if (picture := self._by_key.pop(key, None)) is None:
            return []
        self._take_out(picture, key)
        return [picture.number]

    def end_listing(self) -> None:
        """Forget the files that the camera lists no longer."""
        with self._lock:
            gone = set(self._by_key) - self._seen
            for key in gone:
                self._take_out(self._by_key.pop(key), key)
        if gone:
            for feed in self._all_feeds():
                feed.reset()

    def _take_out(self, picture: Picture, key: Key) -> None:
        picture.files.pop(key, None)
        if not picture.files:
            self._pictures.pop(picture.number, None)
            self._drop_thumbnail(picture.number)

    def picture(self, number: int) -> Picture | None:
        """Return a picture; None if there is none of that number."""
        return self._pictures.get(number)

    def choose(self, numbers: Iterable[int], take: Take) -> list[ObjectInfo]:
        """Return the files of pictures that are to be downloaded and are not queued yet."""
        with self._lock:
            pictures = [self._pictures[each] for each in numbers if each in self._pictures]
            return [
                info
                for picture in dict.fromkeys(pictures)
                for info in picture.chosen(take)
                if picture.files[key_of(info)].status not in ("queued", "now")
            ]

    def now(self, key: Key) -> ObjectInfo | None:
        """Return a file as it was last listed; None if it is gone."""
        with self._lock:
            picture = self._by_key.get(key)
            return picture.files[key].info if picture is not None else None

    def mark(self, key: Key, status: Status, reason: str = "", *, new: bool | None = None) -> None:
        """Set the status of a file; with `new`, also whether it was never downloaded."""
        with self._lock:
            if (picture := self._by_key.get(key)) is None:
                return
            file = picture.files[key]
            file.status, file.reason = status, reason
            if new is not None and file.new is not None:
                file.new = new
        self._tell([picture.number])

    # Thumbnails

    def thumbnail(self, number: int) -> bytes | None:
        """Return the thumbnail of a picture, if it is here."""
        with self._lock:
            if (found := self._thumbnails.get(number)) is not None:
                self._thumbnails.move_to_end(number)
            return found

    def look_at(self, numbers: Iterable[int]) -> list[int]:
        """Note which pictures are in view; return those whose thumbnails have to be asked for."""
        with self._lock:
            missing = [
                each
                for each in numbers
                if (picture := self._pictures.get(each)) is not None
                and each not in self._thumbnails
                and not picture.thumbnail_failed
            ]
            there = set(missing)
            rest = [each for each in self._in_view if each not in there]
            self._in_view = deque((missing + rest)[:WAITING_MOST])
        return missing

    def next_thumbnail(self, *, in_view_only: bool = False) -> tuple[int, int] | None:
        """Return number and handle of the picture whose thumbnail is asked for next."""
        with self._lock:
            for waiting in (self._in_view,) if in_view_only else (self._in_view, self._unasked):
                while waiting:
                    number = waiting.popleft()
                    picture = self._pictures.get(number)
                    if picture is None or number in self._thumbnails or picture.thumbnail_failed:
                        continue
                    return number, picture.small.handle
        return None

    def put_back(self, number: int) -> None:
        """Have a thumbnail asked for again that did not arrive."""
        with self._lock:
            self._unasked.appendleft(number)

    @property
    def has_view_waiting(self) -> bool:
        """Whether a picture in view has no thumbnail yet."""
        return bool(self._in_view)

    def set_thumbnail(self, number: int, thumbnail: bytes | None) -> None:
        """Keep the thumbnail of a picture; None if it has none."""
        with self._lock:
            if (picture := self._pictures.get(number)) is None:
                return
            if thumbnail is None:
                picture.thumbnail_failed = True
            else:
                self._drop_thumbnail(number)
                self._thumbnails[number] = thumbnail
                self._thumbnail_bytes += len(thumbnail)
                while self._thumbnail_bytes > MOST_THUMBNAILS:
                    self._drop_thumbnail(next(iter(self._thumbnails)))
        for feed in self._all_feeds():
            feed.thumbnail(number)

    def _drop_thumbnail(self, number: int) -> None:
        self._thumbnail_bytes -= len(self._thumbnails.pop(number, b""))
