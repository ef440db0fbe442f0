"""Faults of the connections. An effect raises PeerLeftError when nothing can follow it."""

from __future__ import annotations

from typing import Any

from ..kinds import KindsAt, Stage, kinds_at
from ..outlet import PeerLeftError
from ..peer import Peer

kind: KindsAt = kinds_at(Stage.BREAK)


@kind("closes both connections (FIN)")
def drop(peer: Peer, _: Any) -> None:
    peer.leave()
    raise PeerLeftError("drop")


@kind("closes the Command/Data connection only")
def drop_command(peer: Peer, _: Any) -> None:
    peer.drop(peer.command)
    raise PeerLeftError("drop_command")


@kind("closes the Event connection only, and goes on")
def drop_event(peer: Peer, _: Any) -> None:
    peer.drop(peer.event)


@kind("resets both connections (RST)")
def reset(peer: Peer, _: Any) -> None:
    peer.leave(reset=True)
    raise PeerLeftError("reset")


@kind("sends nothing for these seconds, then goes on; 0: for ever", float, 0)
def stall(peer: Peer, seconds: float) -> None:
    peer.wait(seconds or None)


@kind("then sends one byte each time so many seconds pass", float, 0.1)
def drip(peer: Peer, seconds: float) -> None:
    peer.outlet.flush()
    peer.outlet.drip_s = seconds


@kind("both connections fall silent, probe responses included")
def black_hole(peer: Peer, _: Any) -> None:
    peer.silent = True
    peer.wait(None)
