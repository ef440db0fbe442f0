"""Sony's lists of the contents of a card, for bodies with "Remote control with transfer".

No reply of a real camera has been published. The layouts are those of Sony's Camera Control PTP 3
Reference; that the fields are packed without alignment, and that the list of capture times may have
a count in front, is inferred.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...engine.wire import Builder, Cursor
from ...ptp.errors import ProtocolError

VERSION = 100  # × 100, of the list
ID_BYTES = 64  # of the two ids of a database
UMID_BYTES = 32
VIDEO_FIELDS, AUDIO_FIELDS = 19, 4  # numbers of 32 bits in a file's description
# The smallest content and file: a hostile count is refused before anything is read.
SMALLEST_CONTENT, SMALLEST_FILE = 80, 64
DELETED = 0  # as the type of a content: it was deleted while the list was read


@dataclass(slots=True)
class ContentFile:
    """One file of a content.

    Attributes:
        path: The path on the card, without its NUL.
        size: Bytes; 0 while the camera still writes the file.
        image: Width and height, if the file has an image.
        video, audio: The numbers that describe these, if the file has them.
    """

    file_id: int
    path: str
    format: int = 0
    size: int = 0
    umid: bytes = bytes(UMID_BYTES)
    image: tuple[int, ...] = ()
    video: tuple[int, ...] = ()
    audio: tuple[int, ...] = ()


@dataclass(slots=True)
class Content:
    """One content of a card: the files of one picture or movie.

    Attributes:
        created, modified: Milliseconds since 1970, in UTC.
        created_local, modified_local: The same moments on the camera's clock.
    """

    content_type: int
    content_id: int
    directory: int = 0
    number: int = 0
    group_type: int = 0
    group_id: int = 0
    representative: int = 0
    created: int = 0
    modified: int = 0
    created_local: int = 0
    modified_local: int = 0
    rating: int = -1
    protection: int = 0
    dummy: int = 0
    shot_marks: bytes = b""
    files: list[ContentFile] = field(default_factory=list)


@dataclass(slots=True)
class ContentInfoList:
    """A list of contents, and the database that it is from.

    Attributes:
        data_time: When the camera generated the database, in milliseconds since 1970, UTC. New
            contents do not change it.
    """

    data_time: int = 0
    media_id: bytes = bytes(ID_BYTES)
    database_id: bytes = bytes(ID_BYTES)
    slot: int = 1
    contents: list[Content] = field(default_factory=list)
    version: int = VERSION


def parse_contents(payload: bytes | bytearray) -> ContentInfoList:
    """Parse GetContentInfoList's dataset (0x923C).

    Deleted contents are left out.

    Raises:
        ProtocolError: the list is cut, or has a count that cannot be.
    """
    cursor = Cursor(payload, "GetContentInfoList")
    version = cursor.u16()
    cursor.take(2)
    found = ContentInfoList(version=version)
    found.data_time = cursor.u64()
    found.media_id, found.database_id = bytes(cursor.take(ID_BYTES)), bytes(cursor.take(ID_BYTES))
    found.slot = cursor.u32()
    count = _count(cursor, SMALLEST_CONTENT, "contents")
    contents = [_content(cursor) for _ in range(count)]
    cursor.finish()
    found.contents = [each for each in contents if each.content_type != DELETED]
    return found


def _count(cursor: Cursor, smallest: int, what: str) -> int:
    """Read a count. Raises ProtocolError if so many cannot follow."""
    count = cursor.u32()
    if count > cursor.remaining // smallest:
        raise ProtocolError(
            f"GetContentInfoList: {count} {what} in {cursor.remaining} bytes", offset=cursor.offset
        )
    return count


def _content(cursor: Cursor) -> Content:
    content = Content(cursor.u32(), cursor.u32(), cursor.u32(), cursor.u32())
    content.group_type, content.group_id = cursor.u32(), cursor.u32()
    content.representative = cursor.u32()
    content.created, content.modified = cursor.u64(), cursor.u64()
    content.created_local, content.modified_local = cursor.u64(), cursor.u64()
    content.rating, content.protection, content.dummy = cursor.i32(), cursor.u32(), cursor.u32()
    content.shot_marks = bytes(cursor.take(_count(cursor, 1, "shot marks")))
    content.files = [_file(cursor) for _ in range(_count(cursor, SMALLEST_FILE, "files"))]
    return content


def _file(cursor: Cursor) -> ContentFile:
    file_id = cursor.u16()
    cursor.take(2)
    raw = bytes(cursor.take(_count(cursor, 1, "bytes of a path")))
    path = raw.partition(b"\0")[0].decode("utf-8", "replace")
    object_format, size, umid = cursor.u32(), cursor.u64(), bytes(cursor.take(UMID_BYTES))
    described = [
        tuple(cursor.u32() for _ in range(count)) if cursor.u32() else ()
        for count in (2, VIDEO_FIELDS, AUDIO_FIELDS)
    ]
    return ContentFile(file_id, path, object_format, size, umid, *described)


def encode_contents(listed: ContentInfoList) -> bytes:
    """Encode a list; the inverse of `parse_contents`."""
    builder = Builder()
    builder.u16(listed.version)
    builder.u16(0)
    builder.u64(listed.data_time)
    builder.payload(listed.media_id + listed.database_id)
    builder.u32(listed.slot)
    builder.u32(len(listed.contents))
    for each in listed.contents:
        _write_content(builder, each)
    return bytes(builder)


def _write_content(builder: Builder, each: Content) -> None:
    for number in (
        each.content_type,
        each.content_id,
        each.directory,
        each.number,
        each.group_type,
        each.group_id,
        each.representative,
    ):
        builder.u32(number)
    for moment in (each.created, each.modified, each.created_local, each.modified_local):
        builder.u64(moment)
    builder.i32(each.rating)
    builder.u32(each.protection)
    builder.u32(each.dummy)
    builder.u32(len(each.shot_marks))
    builder.payload(each.shot_marks)
    builder.u32(len(each.files))
    for file in each.files:
        _write_file(builder, file)


def _write_file(builder: Builder, file: ContentFile) -> None:
    path = file.path.encode("utf-8", "replace") + b"\0"
    builder.u16(file.file_id)
    builder.u16(0)
    builder.u32(len(path))
    builder.payload(path)
    builder.u32(file.format)
    builder.u64(file.size)
    builder.payload(file.umid)
    for numbers in (file.image, file.video, file.audio):
        builder.u32(1 if numbers else 0)
        for number in numbers:
            builder.u32(number)


def parse_capture_times(payload: bytes | bytearray) -> list[int]:
    """Parse GetCapturedDateList's dataset (0x923B): u64 milliseconds since 1970, local time.

    Notes:
        Whether a u32 count is in front is not published. Its presence shows in the length.

    Raises:
        ProtocolError: the list is cut, or its count is wrong.
    """
    cursor = Cursor(payload, "GetCapturedDateList")
    if cursor.remaining % 8 == 4:
        count = cursor.u32()
        if count != cursor.remaining // 8:
            raise ProtocolError(f"GetCapturedDateList: {count} times in {cursor.remaining} bytes")
    times = [cursor.u64() for _ in range(cursor.remaining // 8)]
    if cursor.remaining:
        raise ProtocolError(f"GetCapturedDateList: cut at byte {cursor.offset}")
    return times


def encode_capture_times(times: list[int], *, counted: bool = True) -> bytes:
    """Encode capture times; the inverse of `parse_capture_times`."""
    builder = Builder()
    if counted:
        builder.u32(len(times))
    for moment in times:
        builder.u64(moment)
    return bytes(builder)
