"""The camera of a command that names none: the only one in the networks of this computer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..ptp.errors import ConnectFailed
from .output import Output

if TYPE_CHECKING:
    from ..discovery import Found

SEARCH_S = 3.0


def only_camera(output: Output) -> tuple[str, int]:
    """Search for cameras, and return the address of the only one.

    Raises:
        ConnectFailed: there is none.
        UsageError: there are several, or the search is not installed.
    """
    from ..discovery import discover
    from ..discovery.found import distinct

    output.note(f"searching for a camera for {SEARCH_S:g} s; give its address to skip the search")
    try:
        cameras = distinct(discover(SEARCH_S))
    except ModuleNotFoundError as error:
        raise click.UsageError(
            "give the camera's address; to search for cameras, pip install 'ptpfast[discovery]'"
        ) from error
    if not cameras:
        raise ConnectFailed(
            f"no camera was found in {SEARCH_S:g} s",
            hint="give its address, or run 'ptpfast doctor', which finds out why",
        )
    if len(cameras) > 1:
        listed = ", ".join(map(_named, cameras))
        raise click.UsageError(f"{len(cameras)} cameras were found; name one: {listed}")
    output.record("found", host=cameras[0].host, port=cameras[0].port, model=cameras[0].model)
    output.note(f"found {_named(cameras[0])}")
    return cameras[0].host, cameras[0].port


def _named(camera: Found) -> str:
    name = camera.model or camera.name
    return f"{camera.address} ({name})" if name else camera.address
