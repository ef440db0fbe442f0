"""Live view pictures with what a camera says about them."""

from __future__ import annotations

from typing import NamedTuple


class FocusArea(NamedTuple):
    """An area that the camera focuses on or has found, in the units of `Focus.size`."""

    left: int
    top: int
    width: int
    height: int


class Focus(NamedTuple):
    """What a camera says about the focus in a live view frame.

    Attributes:
        size: The width and height of the whole picture in the units of the areas. They are not
            those of the JPEG.
        is_sharp: Whether it has focused; None if it does not say so.
        areas: The areas.
    """

    size: tuple[int, int]
    is_sharp: bool | None
    areas: tuple[FocusArea, ...]


class LivePicture(bytes):
    """The bytes of a JPEG.

    Attributes:
        focus: What the camera says about it; None if it says nothing that is known.
    """

    focus: Focus | None = None
