"""`ptpfast history`: what was downloaded on this computer, and from which camera."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from ..engine.text import in_text, unescaped
from .destination import Destination, Folder
from .narrow import Context
from .options import Common, command
from .output import Output, human_size, plural

if TYPE_CHECKING:
    from ..state.catalog import Catalog
    from ..state.fetched import Record

LIMIT = 50
COLUMNS = (
    *("maker", "model", "serial_number", "storage_id", "path", "size", "captured", "modified"),
    *("sha256", "fetched", "folder", "file", "stored_size", "mtime"),
)
# A spreadsheet takes a text that begins so for a formula, and cameras can say anything.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Actions(click.Group):
    """The group; without an action it lists."""

    context_class = Context

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        is_typed = not args and ctx.resilient_parsing  # a shell asks for the actions
        if not is_typed and (
            not args or (args[0].startswith("-") and args[0] not in ("-h", "--help"))
        ):
            args = ["list", *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the actions, and the options of the one that is left out."""
        found = super().shell_complete(ctx, incomplete)
        names = {each.value for each in found}
        of_list = newest.shell_complete(ctx, incomplete)
        return [*found, *(each for each in of_list if each.value not in names)]


@click.group(
    cls=Actions,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="\b\nExamples:\n  ptpfast history\n  ptpfast history search 'DSC_01*'\n"
    "  ptpfast history forget --folder ~/Pictures/old\n"
    "  ptpfast history rebuild ~/Pictures/today",
)
def history() -> None:
    """Show, search and edit the history of downloads.

    Without an action it lists the newest records. Every action takes --json.
    """


def _limit(function: Any) -> Any:
    return click.option(
        "--limit",
        type=click.IntRange(min=0),
        default=LIMIT,
        show_default=True,
        metavar="N",
        help="Records to show; 0: all.",
    )(function)


@command("history list", "history list --limit 0 --json", name="history list", far=False)
@_limit
def newest(common: Common, limit: int) -> None:
    """List the newest records."""
    _show(common.output, (), limit)


@command(
    "history search 'DSC_01*'",
    "history search '*/100ABCDE/*' --json",
    name="history search",
    far=False,
)
@click.argument("globs", metavar="GLOB...", nargs=-1, required=True)
@_limit
def search(common: Common, globs: tuple[str, ...], limit: int) -> None:
    """Find records by name, or by path if the pattern contains a slash."""
    _show(common.output, globs, limit)


@command(
    "history forget 'DSC_01*'",
    "history forget --folder ~/Pictures/old",
    "history forget --folder s3://bucket/today",
    "history forget --camera 'Simulated Camera'",
    name="history forget",
    far=False,
)
@click.argument("globs", metavar="[GLOB]...", nargs=-1)
@click.option(
    "--folder",
    type=Destination(path_type=Path),
    metavar="FOLDER",
    help="Forget the files that were stored there or below; a folder or a URL.",
)
@click.option("--camera", metavar="GLOB", help="Forget a camera, by model or serial number.")
@click.option("--all", "everything", is_flag=True, help="Forget everything.")
def forget(
    common: Common,
    globs: tuple[str, ...],
    folder: Path | str | None,
    camera: str | None,
    everything: bool,
) -> None:
    """Delete records. Files are never touched.

    Several conditions must all hold.
    """
    from ..library.history import Wanted, check

    some = bool(globs or folder is not None or camera is not None)
    if some == everything:
        text = "say what to forget: GLOB, --folder, --camera; or --all alone"
        raise click.UsageError(text)
    try:
        wanted = Wanted(tuple(map(unescaped, globs)), folder, camera)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="'--folder'") from error
    with _catalog(common.output) as catalog:
        count = catalog.forget(wanted.takes)
        check(catalog)
    common.output.record("forgotten", records=count)
    common.output.result(f"{plural(count, 'record')} forgotten")
    if not count and (whole := [each for each in globs if not set(each) & set("*?[")]):
        common.output.note(f"for names that begin so, write '{whole[0]}*'")


@command(
    "history export > history.jsonl",
    "history export --format csv > history.csv",
    name="history export",
    far=False,
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(("jsonl", "csv")),
    default="jsonl",
    show_default=True,
    help="One JSON object per line, or comma-separated values.",
)
def export(common: Common, kind: str) -> None:
    """Write all records to standard output."""
    from ..library.history import check

    output = common.output
    with _catalog(output) as catalog:
        if kind == "csv":
            output.result(_csv(COLUMNS), whole=True)
        for record in catalog.records():
            fields = _fields(record)
            output.record("record", **fields)
            if kind == "csv":
                output.result(_csv(tuple(_cell(fields[name]) for name in COLUMNS)), whole=True)
            else:
                output.result(json.dumps(fields), whole=True)
        check(catalog)


@command(
    "history rebuild ~/Pictures/today",
    name="history rebuild",
    far=False,
)
@click.argument(
    "folders", type=Folder(path_type=Path), metavar="FOLDER...", nargs=-1, required=True
)
def rebuild(common: Common, folders: tuple[Path, ...]) -> None:
    """Record the files in folders and below, for example after the history was lost.

    Records name, size and date, and the checksum from SHA256SUMS. The camera stays unknown.
    """
    from ..library.history import rebuild as run

    output = common.output
    with _catalog(output) as catalog:
        for folder in folders:
            done = run(catalog, folder)
            output.record(
                "rebuilt", folder=in_text(str(folder)), recorded=done.recorded, known=done.known
            )
            known = f", {done.known:,} known already" if done.known else ""
            output.result(f"{folder}: {plural(done.recorded, 'file')} recorded{known}")


for _command in (newest, search, forget, export, rebuild):
    history.add_command(_command)


@contextmanager
def _catalog(output: Output) -> Iterator[Catalog]:
    """Yield the catalog, and print its notes at the end."""
    from ..state.catalog import Catalog

    with closing(Catalog()) as catalog:
        try:
            yield catalog
        finally:
            for note in catalog.notes:
                output.note(note)


def _show(output: Output, globs: tuple[str, ...], limit: int) -> None:
    from ..library.history import Wanted, check

    wanted = Wanted(tuple(map(unescaped, globs)))
    with _catalog(output) as catalog:
        found = (record for record in catalog.records() if wanted.takes(record))
        count = 0
        for record in islice(found, limit or None):
            count += 1
            output.record("record", **_fields(record))
            output.result(_line(record))
        more = sum(1 for _ in found)
        check(catalog)
    if not count:
        output.note("no record matches" if globs else "the history is empty")
    elif more:
        output.note(f"{more:,} more; --limit 0 shows all")


def _line(record: Record) -> str:
    item, file = record.object, record.file
    when = datetime.fromtimestamp(item.fetched).isoformat(" ", "minutes")
    model = item.body[1] or "unknown camera"
    where = os.path.join(file.folder, file.name) if file is not None else "replaced since"
    return f"{when}  {model}  {item.path} ({human_size(item.size)}) -> {where}"


def _fields(record: Record) -> dict[str, Any]:
    """Return the JSON fields of a record."""
    item, file = record.object, record.file
    maker, model, number = item.body
    return {
        "maker": maker or None,
        "model": model or None,
        "serial_number": number or None,
        "storage_id": item.storage,
        "path": item.path,
        "size": item.size,
        "captured": item.captured or None,
        "modified": item.modified or None,
        "sha256": item.sha256,
        "fetched": datetime.fromtimestamp(item.fetched, UTC).isoformat(),
        "folder": in_text(file.folder) if file is not None else None,
        "file": in_text(file.name) if file is not None else None,
        "stored_size": file.size if file is not None else None,
        "mtime": file.mtime_ns / 1e9 if file is not None else None,
    }


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text


def _csv(cells: tuple[str, ...]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()
