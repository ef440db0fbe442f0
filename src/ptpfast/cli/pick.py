"""`ptpfast pick`: choose pictures in a browser, and download them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..engine.text import in_text, printable
from ..transport.contract import Address
from .destination import Folder, conflict_option, folders_option, verify_option
from .file_lines import file_record, finished_line
from .only_camera import only_camera
from .options import Common, chunk_option, command, depth_option, host_argument
from .output import Output, human_size, plural
from .signals import wait_for
from .waiting import showing

if TYPE_CHECKING:
    from ..library.report.results import FileResult
    from ..session.session import Session

INSTALL = "pip install 'ptpfast[pick]'"


@command(
    "pick 192.168.1.1",
    "pick 192.168.1.1 --to ~/Pictures/today",
    "pick 192.168.1.1 --port 8080 --no-browser",
)
@host_argument
@click.option(
    "--to",
    "dest",
    type=Folder(path_type=Path),
    default=".",
    metavar="FOLDER",
    help="Folder to download into.  [default: this one]",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="N",
    help="Port of the page on this computer; 0: any.  [default: 0]",
)
@click.option(
    "--browser/--no-browser",
    default=True,
    show_default=True,
    help="Open the page in the browser of this computer.",
)
@conflict_option
@verify_option
@folders_option
@chunk_option
@depth_option
def pick(
    common: Common,
    host: Address | None,
    dest: Path,
    port: int,
    browser: bool,
    depth: int | None,
    **options: Any,
) -> None:
    """Choose pictures on a page in the browser, and download them.

    Prints the address of the page, which this computer alone can open. Files are downloaded as
    `pull` does: complete, never twice, and resumed after an interruption. Ctrl-C ends it.
    """
    try:
        from ..pick.server import Server
    except ImportError as error:
        raise click.UsageError(f"the page needs more packages: {INSTALL}") from error
    from ..library.plan.options import Options
    from ..library.pull import check_folders
    from ..pick.board import Board
    from ..pick.desk import Desk

    output = common.output
    dest = dest.absolute()
    asked = Options.of(dest, options)
    check_folders(asked)
    told = Downloaded(output)
    with ExitStack() as stack:
        session = stack.enter_context(_connected(common, host, depth))
        board = Board(_short(dest))
        desk = Desk(session, asked, board, told)
        try:
            server = Server(board, desk, port)
        except OSError as error:
            raise click.UsageError(f"no page at port {port}: {error.strerror}") from None
        stack.callback(told.sum_up)
        stack.enter_context(server)
        desk.start()
        stack.callback(desk.close)
        output.record("page", address=server.address, folder=in_text(str(dest)))
        output.result(server.address)
        output.note("open this address in a browser on this computer; Ctrl-C ends it")
        if browser:
            open_page(server.opening)
        wait_for(desk.ended)
        if desk.error is not None:
            raise desk.error


def _connected(common: Common, host: Address | None, depth: int | None) -> Session:
    """Open a session; wait for a camera that may hold an aborted one."""
    from ..session.connecting import connect

    host = host or Address(*only_camera(common.output))
    waiting = showing(common.output)
    return connect(
        host[0],
        port=host[1],
        timeouts=common.timeouts,
        depth=depth,
        waiting=waiting,
        trace=common.trace,
    )


def _short(folder: Path) -> str:
    """Return a folder for the page; `~` stands for the user's own."""
    try:
        folder = Path("~") / folder.relative_to(Path.home())
    except (ValueError, RuntimeError):
        pass
    return printable(in_text(str(folder)))


def open_page(address: str) -> None:
    """Open the page in a browser, if there is one."""
    import webbrowser

    try:
        webbrowser.open(address)
    except (webbrowser.Error, OSError):
        pass


class Downloaded:
    """Tells of downloaded files, and counts them."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._files = 0
        self._size = 0
        self._failed = 0

    def __call__(self, result: FileResult) -> None:
        """Tell of a file."""
        self._output.record("file", **file_record(result))
        self._files += result.status == "downloaded"
        self._size += (result.size or 0) if result.status == "downloaded" else 0
        self._failed += result.status == "failed"
        if (text := finished_line(result)) is not None:
            self._output.note(text)

    def sum_up(self) -> None:
        """Tell how much was downloaded."""
        self._output.record(
            "summary", downloaded=self._files, bytes=self._size, failed=self._failed
        )
        failed = f", {self._failed:,} failed" if self._failed else ""
        files = plural(self._files, "file")
        text = f"{files} downloaded, {human_size(self._size)}{failed}"
        self._output.last_sentence = text
        self._output.note(text)
