"""Is a folder a complete copy of a card?"""

from __future__ import annotations

import os
from pathlib import Path

from ..sim import SimulatedCamera, StoredObject, check, first_difference


def assert_complete(camera: SimulatedCamera, folder: str | os.PathLike[str]) -> list[Path]:
    """Compare the files below a folder with the camera's card, byte for byte.

    A file belongs to the object of its name, or, if it was renamed, to one with the same bytes.
    Hidden files and folders do not count.

    Args:
        camera: The camera that the files came from.
        folder: The folder, with its subfolders.

    Returns:
        The files, in the order of the card.

    Raises:
        AssertionError: A file is missing, differs, or is not on the card. All of them are named.
    """
    here = _files(Path(folder))
    missing = {item.handle: item for item in camera.store.files()}
    found: dict[int, Path] = {}
    for by_name in (True, False):
        for item in list(missing.values()):
            candidates = (path for path in here if path.name == item.name or not by_name)
            copy = next((path for path in candidates if _is_copy(camera, item, path)), None)
            if copy is not None:
                found[item.handle] = copy
                here.remove(copy)
                del missing[item.handle]
    wrong = [_problem(camera, item, here) for item in missing.values()]
    wrong += [f"{path} is not on the card, or there twice" for path in here]
    if wrong:
        raise AssertionError("\n".join(wrong))
    return [found[item.handle] for item in camera.store.files()]


def _files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _is_copy(camera: SimulatedCamera, item: StoredObject, path: Path) -> bool:
    return path.stat().st_size == item.size and check(camera.store.expected(item.handle), path)


def _problem(camera: SimulatedCamera, item: StoredObject, here: list[Path]) -> str:
    """Say why an object has no copy; remove the file of its name from those that are left."""
    path = next((path for path in here if path.name == item.name), None)
    if path is None:
        return f"{item.name} is missing"
    here.remove(path)
    if (size := path.stat().st_size) != item.size:
        return f"{path} has {size} of {item.size} bytes"
    return f"{path} differs at byte {first_difference(camera.store.expected(item.handle), path)}"
