"""RAW files whose previews are looked for; the first three bytes say how long the file is."""

from __future__ import annotations

import raw_files
from ptpfast.raw import boxes, find_preview, orientation, previews, tiff
from ptpfast.raw.ranges import MOST_BLOCKS

LENGTH = 3
HEADER = 1200  # bytes of each seed, which has its directories in front
PYTHON = (
    *(find_preview, tiff.candidates, tiff.first_values, boxes.candidates, boxes.metadata),
    *(previews._is_shown, orientation.of_raw, orientation.of_jpeg),
)


def run(data: bytes) -> None:
    """`find_preview` of a file that may end before its length."""
    size, content = int.from_bytes(data[:LENGTH], "little"), data[LENGTH:]
    reads = 0

    def read(offset: int, count: int) -> bytes:
        nonlocal reads
        reads += 1
        assert 0 <= offset < offset + count <= size
        return content[offset : offset + count]

    found = find_preview(read, size)
    assert reads <= MOST_BLOCKS
    if found is not None:
        assert 0 < found.offset < found.offset + found.size <= size
        jpeg = content[found.offset : found.offset + found.size]
        assert jpeg.startswith(previews.START)
        turned = orientation.with_orientation(jpeg, found.orientation)
        assert turned.endswith(jpeg[2:])
        assert orientation.of_jpeg(turned) == orientation.of_jpeg(jpeg) or turned != jpeg


def seeds() -> list[bytes]:
    """Return the beginning of a file of each structure, with all its pictures moved into it."""
    all_made = [make() for make in raw_files.KINDS.values()]
    all_made += [raw_files.nef(turned=6), raw_files.cr3(turned=6)]
    made = [each.content[:HEADER] for each in all_made]
    small = bytes(raw_files.jpeg(600))
    tail = [len(each).to_bytes(LENGTH, "little") + each for each in made]
    near = raw_files.place(
        {
            0: b"II*\0\x08\0\0\0",
            8: raw_files.directory("<", [(0x201, 4, 1, 100), (0x202, 4, 1, len(small))]),
            100: small,
        },
        800,
    )
    return [*tail, len(near).to_bytes(LENGTH, "little") + near]
