"""An operation as it was requested, for the faults that affect it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..engine.wire import OperationRequest
from ..ptp.codes import OperationCode
from ..vendors.body import SILENCE as SILENCE
from .peer import Peer
from .store import Store


class Call(NamedTuple):
    """A request with its client and its card. `respond` sends a response code at once."""

    peer: Peer
    request: OperationRequest
    store: Store
    respond: Callable[[int], None]

    @property
    def handle(self) -> int:
        """The object of the operation, as `Fault.handle` means it; 0 for none."""
        index = 2 if self.request.code == OperationCode.GetObjectHandles else 0
        parameters = self.request.parameters
        return parameters[index] if index < len(parameters) else 0
