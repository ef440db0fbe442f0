"""The simulated camera's reaction to requests that arrive before the last answer.

No specification says what a body must do then, so a pipelining client has to survive all of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from ..engine.wire import OperationRequest, OperationResponse
from ..ptp.codes import ResponseCode
from .counters import Counters
from .door import Door
from .peer import Peer

# How long a temperamental body looks whether another request is there: long against the time
# between two requests sent together, short against everything else.
_LOOK_S = 0.02


class Temperament(Enum):
    """The reactions of different firmware."""

    QUEUE = "queue"  # reads its requests in order, as a stream suggests
    DROP = "drop"  # takes an early request for a broken Initiator and closes both connections
    LAST = "last"  # has room for one request: ignores all but the last
    BUSY = "busy"  # answers early ones with DeviceBusy
    SWAP = "swap"  # answers the early one first


def in_turn(
    temperament: Temperament, door: Door, peer: Peer, counters: Counters, request: OperationRequest
) -> Iterator[OperationRequest]:
    """Yield the requests to serve now, after one that has just been read.

    QUEUE does not use it: it does not look at early requests.
    """
    early = door.early_requests(peer, _LOOK_S)
    with counters.changing():
        counters.early_requests += len(early)
    match temperament:
        case Temperament.DROP if early:
            peer.leave()
        case Temperament.LAST if early:
            yield early[-1]
        case Temperament.SWAP if early:
            yield from (*early, request)
        case Temperament.BUSY:
            yield request
            for each in early:
                busy = OperationResponse(ResponseCode.DeviceBusy, each.transaction_id)
                door.respond(peer, busy)
        case _:
            yield from (request, *early)
