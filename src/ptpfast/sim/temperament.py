"""What the simulated camera does with requests that arrive before it has answered the last one.

No specification says what a body must do then; a pipelining Initiator has to survive all of these.
Reads what has arrived, and says in which order it is served and what is answered at once instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING

from ..engine.wire import OperationRequest, OperationResponse, Packet, pack
from ..ptp.codes import ResponseCode
from .peer import Peer, parse_known

if TYPE_CHECKING:
    from .responder import SimulatedCamera

# How long a temperamental body looks whether another request is there: long against the time
# between two requests sent together, short against everything else.
_LOOK_S = 0.02


class Temperament(Enum):
    """Each is a way firmware may be built."""

    QUEUE = "queue"  # reads its requests in order: what a stream suggests
    DROP = "drop"  # takes an early request for a broken Initiator and closes both connections
    LAST = "last"  # has room for one request: ignores all but the last
    BUSY = "busy"  # answers early ones with DeviceBusy
    SWAP = "swap"  # answers the early one first


def in_turn(camera: SimulatedCamera, peer: Peer, packet: Packet | None) -> Iterator[Packet | None]:
    """The packets to serve now, given one that has just been read."""
    temperament = camera.temperament
    if temperament is Temperament.QUEUE or not isinstance(packet, OperationRequest):
        yield packet
        return
    early = [parse_known(raw) for raw in peer.reader.waiting(_LOOK_S)]
    requests = [p for p in early if isinstance(p, OperationRequest)]
    for _ in requests:
        camera.count("early_requests")
    match temperament:
        case Temperament.DROP if requests:
            peer.leave()
        case Temperament.LAST if requests:
            yield requests[-1]
        case Temperament.SWAP if requests:
            yield from (*early, packet)
        case Temperament.BUSY:
            yield packet
            for request in requests:
                busy = OperationResponse(ResponseCode.DeviceBusy, request.transaction_id)
                peer.outlet.put(pack(busy), len(pack(busy)))
                peer.outlet.flush()
        case _:
            yield from (packet, *early)
