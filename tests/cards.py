"""Cards of pictures for tests of pulls."""

from __future__ import annotations

from datetime import datetime, timedelta

from ptpfast.sim import Store

DATE = datetime(2026, 3, 4, 5, 6, 7)


def card(count: int, *, folders: int = 1, size: int = 1000) -> Store:
    """Pictures of the same names in each folder."""
    store = Store()
    dcim = store.add_folder("DCIM")
    for number in range(folders):
        parent = store.add_folder(f"{100 + number}CARD", parent=dcim)
        for shot in range(count):
            captured = DATE + timedelta(days=number, seconds=7 * shot)
            store.add(f"DSC_{shot:04d}.NEF", size + shot, parent=parent, captured=captured)
    return store


def replaced(store: Store, index: int) -> None:
    """The handle of a picture goes to another one of the same size."""
    stored = store.files()[index]
    other = next(o.content for o in card(90).files() if o.size == stored.size)
    store.replace(
        stored.handle, name=f"NEW_{index}.NEF", content=other, captured=DATE + timedelta(days=9)
    )
