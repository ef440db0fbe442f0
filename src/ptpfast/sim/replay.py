"""A simulated camera that answers as the camera of a trace did."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Unpack

from ..engine.wire import OperationRequest
from ..ptp.codes import OperationCode, ResponseCode, name_of
from ..trace.conversation import Conversation
from ..vendors.body import SILENCE, Reply
from .peer import Peer
from .recorded import Answers, RecordedContent
from .responder import SimulatedCamera
from .settings import CameraOptions
from .store import Store
from .transactions import Source, Transactions


class ReplayedCamera(SimulatedCamera):
    """A camera on this machine that answers as a trace says; use it in a `with`, or `close` it.

    Requests are compared by operation and parameters. Equal requests get the answers in their
    order, and the last one again. The camera's transport and name are those of the trace.

    Args:
        told: The trace (`trace.conversation.conversation`).
        unknown: Called with a text for each request that the trace has no answer to; the camera
            refuses it.
        options: Those of `SimulatedCamera` about the link, the packets, the faults and the address.

    Raises:
        ValueError: the name in the trace does not fit into a packet, or as `SimulatedCamera`.
        OSError: the address cannot be listened at.
    """

    def __init__(
        self,
        told: Conversation,
        unknown: Callable[[str], object] = lambda _: None,
        **options: Unpack[CameraOptions],
    ) -> None:
        answers = Answers(told)
        self._serving = partial(ReplayedTransactions, answers, unknown)
        options = {"guid": told.guid, "name": told.name, **options}
        vendor = "fujifilm" if told.containers else "standard"
        super().__init__(vendor, Store(), **options)


class ReplayedTransactions(Transactions):
    """The server of the clients of such a camera."""

    def __init__(self, answers: Answers, unknown: Callable[[str], object], *rest: Any) -> None:
        super().__init__(*rest)
        self._answers = answers
        self._unknown = unknown

    def _refusal(self, peer: Peer, request: OperationRequest) -> Reply | None:
        """Return None: the trace has the refusals."""
        return None

    def _perform(self, peer: Peer, request: OperationRequest, data: bytes) -> Reply:
        code, parameters = request.code, tuple(request.parameters)
        exchange = self._answers.next(code, parameters)
        for event in self._answers.due():
            self._events.emit(event.code, event.parameters)
        if code == OperationCode.InitiateOpenCapture:
            self._body.open_ports(opened=True)
        if code == OperationCode.CloseSession:
            peer.session_id = 0
        if exchange is None:
            return self._refuse(code, parameters)
        if code in self._body.openings and exchange.code == ResponseCode.OK:
            peer.session_id = 1
        if not exchange.code:
            self._unknown(f"{_said(code, parameters)} was not answered in the trace; nor is it now")
            return SILENCE
        content = self._answers.content(exchange)
        return Reply(exchange.code, exchange.answer, content)  # type: ignore[arg-type] # see _source

    def _refuse(self, code: int, parameters: tuple[int, ...]) -> Reply:
        if code == OperationCode.CloseSession:  # a trace may end before
            return Reply()
        self._unknown(f"the trace has no answer to {_said(code, parameters)}")
        known = code in self._answers.operations
        return Reply(ResponseCode.GeneralError if known else ResponseCode.OperationNotSupported)

    def _source(self, peer: Peer, reply: Reply) -> Source | None:
        content: Any = reply.data
        if isinstance(content, RecordedContent):
            return self._pace.from_card(content, peer.wait), 0, content.size
        return super()._source(peer, reply)


def _said(code: int, parameters: tuple[int, ...]) -> str:
    given = ", ".join(f"{value:#x}" for value in parameters)
    return f"{name_of(OperationCode, code)}({given})"
