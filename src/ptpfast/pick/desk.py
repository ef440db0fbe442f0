"""The desk: the one thread that uses the camera, for all open pages.

It lists the card, and asks for thumbnails in advance while nothing else is wanted: those in view
first. Previews come before everything, then files that were taken since the card was listed. A
download is a run of `library`. If the connection is lost, it is made again without end, and then
the card is listed again, because its handles may be others.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from ..library.ending import Ending
from ..library.plan.known import Known
from ..link.patience import go_on
from ..ptp.errors import Cancelled, ConnectionLost, PTPError, SinkError
from ..ptp.scope import Scope, scope_of
from ..session.persistence import Persistence, patience_of
from .arrivals import Arrivals
from .downloading import Downloading, Told
from .errands import Errands, Preview
from .picture import File
from .previews import preview_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..library.plan.options import Options
    from ..ptp.datasets import DeviceInfo
    from ..ptp.objects import ObjectTable
    from ..session.session import Session
    from .board import Board
    from .picture import Take

log: logging.Logger = logging.getLogger("ptpfast")

PIECE = 64  # handles that are described between two looks at what is wanted
WAIT_S = 0.5  # how often an idle desk looks whether the connection is still there
ENDS = (Scope.STOPPED, Scope.DEFECT)
OF_DOWNLOAD = (Scope.DESTINATION, Scope.COMPUTER, Scope.CAMERA)


class Desk:
    """The desk of a session. `start` starts its thread, `close` ends it.

    Attributes:
        ended: Set when the thread has ended; `error` is why, if it was not closed.
    """

    def __init__(self, session: Session, options: Options, board: Board, told: Told) -> None:
        """told: is called with the result of each downloaded file."""
        self._session = session
        self._board = board
        self._errands = Errands()
        self._downloading = Downloading(session, options, board, self._errands, told)
        self._persistence = Persistence(session, None, self._lost)
        self._patience = patience_of(None, told=lambda *_: None)
        self._ending = Ending()
        self._arrivals = Arrivals(session)
        self._marked: set[int] = set()  # by the camera's owner, when the card was listed
        self._listed_at = 0  # the reconnects when the card was last listed
        self._probed_at = -1
        self._storage_ids: list[int] = []
        self._thread = threading.Thread(target=self._work, name="ptpfast pick")
        self.ended: threading.Event = threading.Event()
        self.error: BaseException | None = None

    def start(self) -> None:
        """Start the thread."""
        self._board.set_camera(name=_name_of(self._session.device_info))
        self._thread.start()

    def interrupt(self) -> None:
        """Have the thread end: received files are stored, and the partial file is kept."""
        self._ending.end()
        self._errands.wake()

    def close(self) -> None:
        """Interrupt the thread, and wait for its end."""
        self.interrupt()
        self._thread.join()

    # From the pages

    def download(self, numbers: Iterable[int], take: Take) -> int:
        """Download pictures; return how many files that are."""
        if infos := self._board.choose(numbers, take):
            self._downloading.add(infos)
        return len(infos)

    def pause(self) -> None:
        """Have the download give way, at its next chunk."""
        if self._board.download.state == "running":
            self._board.set_download(state="paused")
            self._errands.pause(paused=True)

    def resume(self) -> None:
        """Have the download go on."""
        if self._errands.waiting():
            self._board.set_download(state="running", message="")
            self._errands.pause(paused=False)

    def clear(self) -> None:
        """Give up what is still to be downloaded. Received bytes are kept for the next time."""
        for key in self._errands.clear():
            self._board.mark(key, "")
        self._board.set_download(state="idle", message="", files=0, rate=0.0, name="")

    def list_again(self) -> None:
        """Have the card listed again."""
        self._errands.list_again()

    def look_at(self, numbers: Iterable[int]) -> None:
        """Note which pictures are in view."""
        if self._board.look_at(numbers):
            self._errands.wake()

    def preview(self, number: int) -> Preview:
        """Ask for the preview of a picture."""
        return self._errands.preview(number)

    # The thread

    def _work(self) -> None:
        try:
            with self._ending.interrupts_pauses(), self._ending.interrupts(self._session):
                while True:
                    self._step()
        except Cancelled:
            pass
        except BaseException as error:  # noqa: BLE001 # raised by the command
            self.error = error
        finally:
            self._arrivals.close()
            self.ended.set()
            self._errands.drop_previews()

    def _step(self) -> None:
        """Do the next thing, and survive what the camera does about it."""
        go_on()
        try:
            self._next()
        except PTPError as error:
            if scope_of(error) in ENDS:
                raise
            log.info("%s; trying again", error)
            state = "lost" if scope_of(error) is not Scope.OBJECT else "ready"
            self._board.set_camera(state=state, message=error.message)
            self._errands.listing_due = True
            self._patience.wait(error)
        else:
            self._patience.reset()

    def _next(self) -> None:
        if self._is_stale or self._errands.listing_due:
            self._list()
        elif self._errands.has_preview:
            self._serve_previews()
        elif self._arrivals.is_due:
            self._take_arrivals()
        elif self._errands.queue and not self._errands.paused:
            self._fetch()
        elif not self._fill():
            self._errands.wait(WAIT_S)
            self._look_for_loss()
            self._persistence.run(self._arrivals.hear)

    @property
    def _is_stale(self) -> bool:
        """Whether the handles may be others than those that are listed."""
        link = self._session.link
        is_same = link.reconnects == self._listed_at and self._session.usable
        return not is_same or self._arrivals.cards_changed

    def _look_for_loss(self) -> None:
        """Ask the camera for its storages, once, if its Event connection has ended."""
        link = self._session.link
        if link.hub.closed and self._probed_at != link.reconnects:
            self._probed_at = link.reconnects
            self._persistence.run(self._session.storage_ids)

    def _lost(self, error: PTPError) -> None:
        self._board.set_camera(state="lost", message=error.message)

    def _connected(self) -> None:
        if not self._session.usable:
            raise ConnectionLost("the connection to the camera is lost")

    # The list

    def _list(self) -> None:
        """List the card, piece by piece."""
        self._persistence.run(self._connected)
        self._errands.listing_due = False
        if self._errands.is_forgiving:
            self._errands.is_forgiving = False
            self._session.link.losses.forget()
        self._listed_at = self._session.link.reconnects
        self._persistence.run(self._arrivals.begin_listing)
        self._board.begin_listing()
        known = Known.of(self._session, history=True)
        knows = _can_tell_new(known)
        self._marked = self._persistence.run(self._ask_for_marked)
        begin = partial(self._session.listing, progress=self._show_listed)
        failed = 0
        try:
            with self._persistence.for_listings(), closing(self._persistence.run(begin)) as listing:
                while (piece := self._persistence.run(partial(listing.next, PIECE))) is not None:
                    failed += len(piece.failures)
                    self._storage_ids = listing.storage_ids
                    self._add(piece, known, knows=knows)
                    self._serve_previews()
                    self._fill(in_view_only=True)
                self._arrivals.end_listing(listing.handles)
                unlisted = [str(error) for error in listing.unlisted.values()]
        finally:
            known.close()
        self._board.end_listing()
        notes = [f"{failed} files cannot be described by the camera"] if failed else []
        self._board.set_camera(state="ready", message="; ".join(unlisted + notes), knows_new=knows)

    def _add(self, piece: ObjectTable, known: Known, *, knows: bool) -> None:
        known.see(piece, self._storage_ids)
        self._board.add(
            File(
                info,
                not known.was_fetched(info) if knows else None,
                info.handle in self._marked,
            )
            for info in piece
        )

    def _take_arrivals(self) -> None:
        """Show what has come, changed and gone on the card since it was listed."""
        self._persistence.run(self._arrivals.look)
        if self._is_stale:
            return
        self._board.remove(self._arrivals.take_gone())
        if self._arrivals.has_events:
            self._show_arrivals()

    def _show_arrivals(self) -> None:
        piece = self._persistence.run(partial(self._arrivals.take, self._storage_ids))
        if self._is_stale:
            return
        with closing(Known.of(self._session, history=True)) as known:
            known.prepare()
            self._add(piece, known, knows=self._board.camera.knows_new)

    def _ask_for_marked(self) -> set[int]:
        """Return the objects that the camera's owner has marked, if the camera tells."""
        try:
            return set(self._session.marked())
        except PTPError as error:
            if scope_of(error) is not Scope.OBJECT:
                raise
            return set()

    def _show_listed(self, done: int, total: int) -> None:
        self._board.set_camera(listed=done, total=total)

    # Thumbnails and previews

    def _fill(self, *, in_view_only: bool = False) -> bool:
        """Ask for thumbnails until something else is wanted; return whether there were any."""
        fill = partial(self._fill_once, in_view_only=in_view_only)
        return self._persistence.run(fill)

    def _fill_once(self, *, in_view_only: bool) -> bool:
        asked: dict[int, int] = {}

        def wanted() -> Iterator[int]:
            while not self._is_interrupted(in_view_only=in_view_only):
                if (each := self._board.next_thumbnail(in_view_only=in_view_only)) is None:
                    return
                number, handle = each
                asked[handle] = number
                yield handle

        came = False
        try:
            for handle, answer in self._session.thumbnails(wanted()):
                thumbnail = answer if isinstance(answer, bytes) else None
                self._board.set_thumbnail(asked.pop(handle), thumbnail)
                came = True
        finally:
            for number in asked.values():
                self._board.put_back(number)
        return came

    def _is_interrupted(self, *, in_view_only: bool) -> bool:
        """Return whether another task comes before the next thumbnail."""
        if self._errands.has_preview or self._ending.stop.is_set():
            return True
        if self._session.link.reconnects != self._listed_at:
            return True
        if in_view_only:
            return False
        return self._has_download or self._errands.listing_due or self._arrivals.is_due

    @property
    def _has_download(self) -> bool:
        return bool(self._errands.queue) and not self._errands.paused

    def _serve_previews(self) -> None:
        while (errand := self._errands.next_preview()) is not None:
            number, wanted = errand
            if not wanted.set_running_or_notify_cancel():
                continue
            try:
                picture = self._board.picture(number)
                read = partial(preview_of, self._session, picture)
                wanted.set_result(self._persistence.run(read))
            except BaseException as error:
                wanted.set_exception(error)
                if scope_of(error) is not Scope.OBJECT:
                    raise

    # The download

    def _fetch(self) -> None:
        try:
            self._downloading.run(self._is_over, self._gives_way, self._serve, self._storage_ids)
        except (PTPError, OSError) as error:
            if scope_of(error) not in OF_DOWNLOAD:
                raise
            self._errands.paused = True
            message = error.message if isinstance(error, PTPError) else str(error)
            hint = getattr(error, "hint", "")
            text = "; ".join(filter(None, (message, hint)))
            self._board.set_download(state="stopped", message=text, rate=0.0)
        else:
            done = not self._errands.queue
            self._board.set_download(rate=0.0, name="", **({"state": "idle"} if done else {}))
        if not self._is_stale:
            self._board.set_camera(state="ready", message="")

    def _is_over(self) -> bool:
        return not self._has_download or self._is_stale

    def _gives_way(self) -> bool:
        """Whether a file that arrives has to stop at its next chunk."""
        wanted = self._errands.has_preview or self._arrivals.has_events
        return wanted or not self._has_download

    def _serve(self) -> None:
        """Use the camera between two files of a download."""
        self._serve_previews()
        if not self._is_stale and self._arrivals.is_due:
            self._take_arrivals()
        if not self._is_stale:
            self._fill(in_view_only=True)


def _name_of(device: DeviceInfo) -> str:
    """Return the name of a camera: its brand and model, without the rest of the company's name."""
    brand = device.manufacturer.partition(" ")[0]
    model = device.model.strip()
    return (
        model if model.lower().startswith(brand.lower()) and model else f"{brand} {model}".strip()
    )


def _can_tell_new(known: Known) -> bool:
    """Return whether the history tells which files were downloaded from this body."""
    known.prepare()
    try:
        known.require()
    except SinkError as error:
        log.info("%s", error)
        return False
    return True
