"""`ptpfast ls`: the objects on the camera, one a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..engine.text import printable
from ..library.plan.pairs import preferred
from ..library.report.results import StorageFailure
from ..ptp.kinds import KINDS, Kind, kind_name
from .object_record import object_record
from .only_camera import only_camera
from .options import Common, command, depth_option, host_argument, index_option
from .output import Output, human_size, plural
from .selecting import Wanted, selecting
from .waiting import showing

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..library.plan.selection import Selection
    from ..library.report.observer import Observer
    from ..ptp.errors import PTPError
    from ..ptp.objects import ObjectInfo, ObjectTable
    from ..session.session import Session

ADVICE = "leave out the options that select to see all"
CODES = ("HANDLE", "FORMAT")


@command(
    "ls 192.168.1.1",
    "ls 192.168.1.1 --format raw --since 2026-11-22",
    "ls 192.168.1.1 --folder 101D5300 --prefer raw --last 20",
    "ls 192.168.1.1 --json | jq -r 'select(.type==\"object\") | .path'",
)
@host_argument
@selecting(order="oldest", whole=True)
@depth_option
@index_option
def ls(common: Common, host: tuple[str, int] | None, wanted: Wanted, **options: Any) -> int:
    """List the files on the camera.

    Writes a table to a terminal, with handles and format codes if --verbose is given. Otherwise
    writes handle, size in bytes, kind, capture date and path, separated by tabs.
    """
    from ..session.connecting import connect
    from .nothing import nothing_text
    from .progress import display

    selection = wanted.selection()
    host = host or only_camera(common.output)
    options |= {
        "timeouts": common.brief_timeouts,
        "trace": common.trace,
        "waiting": showing(common.output, for_owner_only=True),
    }
    with connect(host[0], port=host[1], **options) as session:
        with display(common.output) as shown:
            session.link.on_busy = shown.busy
            # A camera that ends the connection at one object does so each time: the rest is listed.
            session.link.losses.recover = _recovering(session, shown)
            listing = session.listing(progress=shown.listing)
            table = listing.table()
            marked = set(session.marked()) if wanted.marked else None
        meant = [info for info in table if marked is None or info.handle in marked]
        chosen = selection.apply(meant)
        _show(common.output, chosen)
    ids = [*listing.storage_ids, *filter(None, listing.unlisted)]
    for doubt in (*listing.doubts, *selection.missing_cards(ids)):
        common.output.note(doubt)
    if not chosen and not table.failures and not table.unlisted:
        common.output.note(nothing_text(len(table), wanted.words, ADVICE))
    _tell_left_out(common.output, selection, meant)
    return _failures(common.output, table, selection)


def _tell_left_out(output: Output, selection: Selection, meant: list[ObjectInfo]) -> None:
    """Say how many files are left out that the selection cannot judge, or that are one of a
    pair."""
    matching = selection.matching(meant)
    ways = (
        (selection.undated(meant), "without a date left out"),
        (selection.unsized(meant), "of unknown size left out"),
        (selection.unrated(meant), "of unknown rating left out"),
        (
            len(matching) - len(preferred(matching, selection.prefer)),
            "left out for the other file of the pair",
        ),
    )
    for count, way in ways:
        if count:
            output.note(f"{plural(count, 'file')} {way}")


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
            output.result("\t".join(_for_programs(info)))


def _for_programs(info: ObjectInfo) -> tuple[str, ...]:
    size = "-" if info.size is None else str(info.size)
    date = info.captured.isoformat() if info.captured else "-"
    return f"{info.handle:#010x}", size, info.kind, date, printable(info.path)


def _table(output: Output, chosen: list[ObjectInfo]) -> None:
    rows = [("SIZE", "KIND", "DATE", *CODES[: 2 * output.verbose], "PATH")]
    for info in chosen:
        date = info.captured.isoformat(" ", "seconds") if info.captured else "-"
        codes = (f"{info.handle:#010x}", f"{info.format:#06x}")[: 2 * output.verbose]
        path = printable(info.path)
        rows.append((human_size(info.size), kind_name(info.kind), date, *codes, path))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for size, *middle, path in rows:
        cells = [f"{cell:<{width}}" for cell, width in zip(middle, widths[1:-1], strict=True)]
        output.result("  ".join((f"{size:>{widths[0]}}", *cells, path)))
    if chosen:
        total = sum(info.size or 0 for info in chosen)
        kinds = kind_counts(info.kind for info in chosen)
        output.note(f"{plural(len(chosen), 'file')}, {human_size(total)}: {kinds}")


def kind_counts(kinds: Iterable[Kind]) -> str:
    """Return how many objects there are of each kind: `8 RAW, 8 JPEG, 1 movie`."""
    counts = Counter(kinds)
    return ", ".join(
        f"{counts[kind]:,} {kind_name(kind, counts[kind])}" for kind in KINDS if counts[kind]
    )


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
