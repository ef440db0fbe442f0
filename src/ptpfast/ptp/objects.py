"""Objects on the card: `ObjectInfo` for one, `ObjectTable` for many, `Description` as received.

Nothing here talks to a camera. Names and paths come from the camera and are untrusted. Code that
makes a local file name from one uses `library.plan.naming`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

from .arguments import code_in, listed, whole_number
from .codes import SIZE_SATURATED, ObjectFormat
from .datasets import ObjectInfoDataset, parse_date_time
from .errors import PTPError
from .kinds import Kind, extension, kind_of

if (
    TYPE_CHECKING
):  # numpy takes longer to import than all of this package: only when columns are used
    import numpy as np
    from numpy.typing import NDArray

LARGEST_OBJECT = 1 << 50  # bytes; what claims to be larger is no size


@dataclass(frozen=True, slots=True)
class Description:
    """A file or a folder as the camera describes it.

    Texts and dates are unchanged. `size` is None if the camera cannot tell it, or claims more than
    `LARGEST_OBJECT`.
    """

    storage_id: int
    format: int
    protection: int
    size: int | None
    parent: int
    name: str
    captured: str
    modified: str

    @classmethod
    def of(cls, dataset: ObjectInfoDataset, size: int | None) -> Description:
        """Return the description in a dataset, with the true size."""
        if size is not None and size > LARGEST_OBJECT:
            size = None
        return cls(
            dataset.storage_id,
            dataset.object_format,
            dataset.protection_status,
            size,
            dataset.parent_object,
            dataset.filename,
            dataset.capture_date,
            dataset.modification_date,
        )

    @property
    def is_folder(self) -> bool:
        """True for a folder (an association)."""
        return self.format == ObjectFormat.Association

    def agrees_with(self, other: Description | ObjectInfo) -> bool:
        """Return whether both describe the same object in the same state.

        Protection is not compared, because a button changes it, and neither is the format of dates.
        An unknown size stands for a size of 4 GiB or more.
        """
        sizes = {self.size, other.size}
        same_size = len(sizes) == 1 or (
            None in sizes and all(size is None or size >= SIZE_SATURATED for size in sizes)
        )
        return same_size and _essence(self) == _essence(other)


def _essence(said: Description | ObjectInfo) -> tuple[object, ...]:
    captured, modified = (
        parse_date_time(moment) if isinstance(moment, str) else moment
        for moment in (said.captured, said.modified)
    )
    return said.storage_id, said.format, said.parent, said.name, captured, modified


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One object on the camera.

    Attributes:
        handle: the camera's number for it.
        name: the file name.
        path: the name with its folders: `DCIM/100ABCDE/DSC_0001.NEF`.
        size: bytes, in 64 bits; None if the camera cannot tell.
        format: the object format code.
        captured: capture time, in the camera's local time unless it reports a time zone; None if
            unknown.
        modified: modification time, in the same form.
        storage_id: the storage that holds it.
        parent: the handle of its folder; 0 in the root.
        protected: whether the camera refuses to delete it.
        remembered: whether the description comes from the index.
        rating: stars, 0 to 5; None if the camera does not tell.
        connection: the `Connection.token` of the description; 0 if unknown.

    Notes:
        A camera without 64-bit sizes cannot tell sizes of 4 GiB and more.
    """

    handle: int
    name: str
    path: str
    size: int | None
    format: int
    captured: datetime | None = None
    modified: datetime | None = None
    storage_id: int = 0
    parent: int = 0
    protected: bool = False
    # From an earlier session: it is compared with the camera before it is read.
    remembered: bool = field(default=False, compare=False)
    rating: int | None = field(default=None, compare=False)  # a button changes it
    # The token of the connection by which the camera described it; 0 if that is unknown. Over
    # another one it is compared before it is read: handles are promised for one session.
    connection: int = field(default=0, compare=False, repr=False)

    @property
    def extension(self) -> str:
        """The file extension in capitals, without the dot: `NEF`."""
        return extension(self.name)

    @property
    def kind(self) -> Kind:
        """`raw`, `jpeg`, `heif`, `video`, `audio` or `other`, from the extension."""
        return kind_of(self.name)

    @property
    def is_raw(self) -> bool:
        """True for a RAW picture, by the extension."""
        return self.kind == "raw"


class ObjectTable(Sequence[ObjectInfo]):
    """The objects of a listing: a sequence of `ObjectInfo` with numpy columns.

    Attributes:
        failures: (handle, error) of each object that could not be described.
        unlisted: (storage id, error) of each storage that could not be listed.

    Notes:
        `handle`, `size`, `format`, `captured`, `storage_id`, `parent` and `is_raw` are arrays with
        one element for each object; `names` and `paths` are lists. `table[mask]`, `table[indices]`
        and slices are tables again.

    Example:
        raws = table[table.is_raw]
    """

    def __init__(
        self,
        objects: Sequence[ObjectInfo],
        failures: Sequence[tuple[int, PTPError]] = (),
        unlisted: Sequence[tuple[int, PTPError]] = (),
    ) -> None:
        self._objects = list(objects)
        self.failures: list[tuple[int, PTPError]] = list(failures)
        self.unlisted: list[tuple[int, PTPError]] = list(unlisted)

    def _column(self, value: Callable[[ObjectInfo], Any], dtype: str) -> NDArray[Any]:
        import numpy as np

        return np.array([value(o) for o in self._objects], dtype)

    @cached_property
    def handle(self) -> NDArray[np.uint32]:
        """Object handles: uint32, shape (n,)."""
        return self._column(lambda o: o.handle, "uint32")

    @cached_property
    def size(self) -> NDArray[np.int64]:
        """Sizes in bytes: int64, shape (n,); −1 if unknown."""
        return self._column(lambda o: -1 if o.size is None else o.size, "int64")

    @cached_property
    def format(self) -> NDArray[np.uint16]:
        """Object format codes, shape (n,)."""
        return self._column(lambda o: o.format, "uint16")

    @cached_property
    def captured(self) -> NDArray[np.datetime64]:
        """Capture times to the second: datetime64, shape (n,); NaT if unknown, UTC if the camera
        reports a time zone.
        """
        return self._column(lambda o: _plain(o.captured), "datetime64[s]")

    @cached_property
    def storage_id(self) -> NDArray[np.uint32]:
        """Storage ids, shape (n,)."""
        return self._column(lambda o: o.storage_id, "uint32")

    @cached_property
    def parent(self) -> NDArray[np.uint32]:
        """Handles of the folders that hold the objects, shape (n,)."""
        return self._column(lambda o: o.parent, "uint32")

    @cached_property
    def is_raw(self) -> NDArray[np.bool_]:
        """Whether each object is a RAW picture: bool, shape (n,)."""
        return self._column(lambda o: o.is_raw, "bool")

    @property
    def names(self) -> list[str]:
        """File names, in order."""
        return [o.name for o in self._objects]

    @property
    def paths(self) -> list[str]:
        """Paths with folders, in order."""
        return [o.path for o in self._objects]

    @property
    def total_size(self) -> int:
        """Sum of all known sizes, in bytes."""
        return sum(o.size or 0 for o in self._objects)

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[ObjectInfo]:
        return iter(self._objects)

    @overload
    def __getitem__(self, index: int) -> ObjectInfo: ...
    @overload
    def __getitem__(self, index: slice | NDArray[Any] | Sequence[int]) -> ObjectTable: ...
    def __getitem__(self, index: Any) -> ObjectInfo | ObjectTable:
        if isinstance(index, slice):
            return ObjectTable(self._objects[index], self.failures, self.unlisted)
        try:
            return self._objects[operator.index(index)]
        except TypeError:
            pass

        import numpy as np

        rows = np.arange(len(self))[np.asarray(index)]
        return ObjectTable([self._objects[row] for row in rows], self.failures, self.unlisted)

    def __repr__(self) -> str:
        failed = f", {len(self.failures)} failed" if self.failures else ""
        return f"<ObjectTable: {len(self)} objects, {self.total_size:,} bytes{failed}>"


def handle_of(given: ObjectInfo | int) -> int:
    """Return the handle of an object, or the handle itself. Raises TypeError."""
    if isinstance(given, ObjectInfo):
        return given.handle
    text: object = given  # what a caller without a type checker may give
    if isinstance(text, str):
        raise TypeError(
            f"{text!r:.60} is a text: an object is given as ObjectInfo or handle; "
            "find it by its name in session.objects()"
        )
    return code_in("handles", given, _WHAT)


def handles_of(given: Iterable[ObjectInfo | int] | ObjectInfo | int) -> Iterator[int]:
    """Yield the handles of one object or several. Raises TypeError."""
    if isinstance(given, ObjectInfo):
        return iter([given.handle])
    if (number := whole_number(given)) is not None:
        return iter([handle_of(number)])
    if isinstance(given, Iterator):
        return map(handle_of, given)
    return map(handle_of, listed("handles", given, _WHAT))


_WHAT = "an object, a handle"


def card_name(storage_id: int) -> str:
    """Return a storage in words: `card 2`, from the slot in the upper half of its id."""
    slot = storage_id >> 16
    return f"card {slot}" if 0 < slot < 100 else f"storage 0x{storage_id:08X}"


def _plain(moment: datetime | None) -> datetime | None:
    """Return a datetime without time zone, because numpy's datetimes have none."""
    if moment is None or moment.tzinfo is None:
        return moment
    try:
        return moment.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:  # a camera's clock may say the year 1, hours east of Greenwich
        return None
