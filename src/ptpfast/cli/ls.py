"""`ptpfast ls`: the objects on the camera, one a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..engine.text import printable
from ..library.report.results import StorageFailure
from .object_record import object_record
from .options import Common, command, depth_option, host_argument, index_option
from .output import Output, human_size, plural
from .selecting import Wanted, selecting

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..library.plan.selection import Selection
    from ..library.report.observer import Observer
    from ..ptp.errors import PTPError
    from ..ptp.objects import ObjectInfo, ObjectTable
    from ..session.session import Session


@command(
    "ls 192.168.1.1",
    "ls 192.168.1.1 --format raw --since 2026-11-22",
    "ls 192.168.1.1 --json | jq -r 'select(.type==\"object\") | .path'",
)
@host_argument
@selecting(order="oldest")
@depth_option
@index_option
def ls(common: Common, host: tuple[str, int], wanted: Wanted, **options: Any) -> int:
    """List the files on the camera.

    Writes a table to a terminal. Otherwise writes handle, size in bytes, format, capture date and
    path, separated by tabs.
    """
    from ..session.connecting import connect
    from .nothing import nothing_text
    from .progress import display

    selection = wanted.selection()
    with connect(host[0], port=host[1], timeouts=common.timeouts, **options) as session:
        with display(common.output) as shown:
            session.link.on_busy = shown.busy
            # A camera that ends the connection at one object does so each time: the rest is listed.
            session.link.losses.recover = _recovering(session, shown)
            listing = session.listing(progress=shown.listing)
            table = listing.table()
        chosen = selection.apply(table)
        _show(common.output, chosen)
        undated = selection.undated(table)
    ids = [*listing.storage_ids, *filter(None, listing.unlisted)]
    for doubt in (*listing.doubts, *selection.missing_cards(ids)):
        common.output.note(doubt)
    if not chosen and not table.failures and not table.unlisted:
        common.output.note(nothing_text(len(table), selection.words))
    if undated:
        common.output.note(f"{plural(undated, 'object')} without a date left out")
    return _failures(common.output, table, selection)


def _recovering(session: Session, shown: Observer) -> Callable[[PTPError, bool], None]:
    def recover(error: PTPError, _: bool) -> None:
        shown.lost(error)
        session.link.reconnect_after(error)

    return recover


def _show(output: Output, chosen: list[ObjectInfo]) -> None:
    if output.json:
        for info in chosen:
            output.record("object", **object_record(info))
    elif output.for_terminal:
        _table(output, chosen)
    else:
        for info in chosen:
            output.result("\t".join(_columns(info, people=False)))


def _columns(info: ObjectInfo, *, people: bool) -> tuple[str, str, str, str, str]:
    if people:
        size = human_size(info.size)
        date = info.captured.isoformat(" ", "seconds") if info.captured else "-"
    else:
        size = "-" if info.size is None else str(info.size)
        date = info.captured.isoformat() if info.captured else "-"
    return (
        f"{info.handle:#010x}",
        size,
        f"{info.format:#06x}",
        date,
        printable(info.path),
    )


def _table(output: Output, chosen: list[ObjectInfo]) -> None:
    rows = [("HANDLE", "SIZE", "FORMAT", "DATE", "PATH")]
    rows += [_columns(info, people=True) for info in chosen]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for handle, size, format, date, path in rows:
        output.result(
            f"{handle:<{widths[0]}}  {size:>{widths[1]}}  {format:<{widths[2]}}  "
            f"{date:<{widths[3]}}  {path}"
        )
    total = sum(info.size or 0 for info in chosen)
    output.note(f"{plural(len(chosen), 'object')}, {human_size(total)}")


def _failures(output: Output, table: ObjectTable, selection: Selection) -> int:
    meant = [row for row in table.unlisted if not row[0] or selection.takes_card(row[0])]
    for storage_id, error in meant:
        failure = StorageFailure(storage_id, str(error), error)
        output.record("failure", storage=storage_id, message=str(error))
        output.note(f"ptpfast: {failure}")
    for handle, error in table.failures:
        output.record("failure", handle=handle, message=str(error))
        output.note(f"ptpfast: {handle:#010x} cannot be described: {error}")
    return 1 if table.failures or meant else 0
