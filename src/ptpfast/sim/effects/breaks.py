"""Faults of the connections. An effect raises PeerLeftError when nothing can follow it."""

from __future__ import annotations

from typing import Any

from ..kinds import Stage, kind
from ..outlet import PeerLeftError
from ..peer import Peer


@kind(Stage.BREAK, "closes both connections (FIN)")
def drop(peer: Peer, _: Any) -> None:
    peer.leave()
    raise PeerLeftError("drop")


@kind(Stage.BREAK, "closes the Command/Data connection only")
def drop_command(peer: Peer, _: Any) -> None:
    peer.drop(peer.command)
    raise PeerLeftError("drop_command")


@kind(Stage.BREAK, "closes the Event connection only, and goes on")
def drop_event(peer: Peer, _: Any) -> None:
    peer.drop(peer.event)


@kind(Stage.BREAK, "resets both connections (RST)")
def reset(peer: Peer, _: Any) -> None:
    peer.leave(reset=True)
    raise PeerLeftError("reset")


@kind(
    Stage.BREAK,
    "sends nothing for these seconds, then goes on; 0: for ever",
    value=float,
    default=0,
)
def stall(peer: Peer, seconds: float) -> None:
    peer.wait(seconds or None)


@kind(Stage.BREAK, "from then on sends a byte each so many seconds", value=float, default=0.1)
def drip(peer: Peer, seconds: float) -> None:
    peer.outlet.flush()
    peer.outlet.drip_s = seconds


@kind(Stage.BREAK, "no byte from either connection any more, probes included")
def black_hole(peer: Peer, _: Any) -> None:
    peer.silent = True
    peer.wait(None)
