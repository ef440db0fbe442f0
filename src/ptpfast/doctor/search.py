"""The examination without an address: the camera is searched for first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..network import routes
from ..ptp.errors import ConnectFailed
from . import causes
from .computer import look_at_disk
from .diagnosis import Cause, Diagnosis, Step
from .examination import Told, examine
from .route import networks_of

if TYPE_CHECKING:
    from ..discovery import Found
    from ..transport.identity import Identity
    from ..transport.timeouts import Timeouts

SEARCH_S = 5.0


def search_and_examine(
    *,
    seconds: float = SEARCH_S,
    interfaces: Sequence[str] | None = None,
    addresses: Sequence[str] | None = None,
    timeouts: Timeouts | None = None,
    folder: str | Path = ".",
    told: Told | None = None,
    identity: Identity | None = None,
) -> Diagnosis:
    """Search for cameras, and examine the one that is found.

    Args:
        seconds: How long to search.
        interfaces: As of `discover`.
        addresses: As of `discover`.
        timeouts: As of `examine`.
        folder: As of `examine`.
        told: As of `examine`.
        identity: As of `examine`.

    Raises:
        TypeError, ValueError: An argument is wrong.
    """
    from ..discovery import discover
    from ..discovery.found import distinct

    told = told or (lambda _: None)
    networks = networks_of(routes.routes())
    try:
        cameras = distinct(discover(seconds, interfaces=interfaces, addresses=addresses))
    except ModuleNotFoundError as error:
        return _nothing("", causes.no_search(error.name or "a library"), told, folder)
    except ConnectFailed:
        return _nothing("", causes.no_network(), told, folder)
    if not cameras:
        return _nothing("", causes.no_camera(networks, seconds), told, folder)
    step = Step("search", "ok", _words(cameras), {"found": [each.address for each in cameras]})
    if len(cameras) > 1:
        step = Step(step.name, "bad", step.text, step.facts)
        cause = causes.several_cameras([each.address for each in cameras])
        return _nothing(step.text, cause, told, folder, step)
    told(step)
    found = examine(
        cameras[0].host,
        port=cameras[0].port,
        timeouts=timeouts,
        folder=folder,
        told=told,
        identity=identity,
    )
    found.steps.insert(0, step)
    return found


def _words(cameras: list[Found]) -> str:
    return ", ".join(
        f"{each.address} ({each.model or each.vendor or 'by its address'})" for each in cameras
    )


def _nothing(
    text: str, cause: Cause, told: Told, folder: str | Path, step: Step | None = None
) -> Diagnosis:
    """Return the diagnosis of a search that leads to no single camera."""
    disk, more = look_at_disk(Path(folder))
    steps = [step or Step("search", "bad", text or cause.text, {"found": []}), *disk]
    for each in steps:
        told(each)
    return Diagnosis(steps=steps, causes=[cause, *more])
