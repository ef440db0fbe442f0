"""`ptpfast simulate --replay`: the camera of a trace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ..transport.contract import Address
from .output import Output, plural

if TYPE_CHECKING:
    from ..sim.responder import SimulatedCamera
    from ..trace.conversation import Conversation

# Options of the simulated camera that a trace decides.
_OF_TRACE = (
    *("objects", "size", "vendor", "body", "folder", "withheld", "announce", "strict_tid"),
    *("needs_probe", "busy_s", "approval", "approve_after_s", *("hold_s", "pause_s", "locked_s")),
)


def read_trace(path: Path) -> Conversation:
    """Return the conversation in a trace. UsageError for another file."""
    from ..trace.conversation import conversation
    from ..trace.reading import TraceError

    try:
        return conversation(path)
    except (TraceError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise click.BadParameter(f"{path}: {reason}", param_hint="'--replay'") from error


def usual_port(told: Conversation) -> int:
    """Return the port at which the real camera listens."""
    from ..transport.ptpip import PTP_IP
    from ..vendors.fujifilm.transport import PORT

    return PORT if told.containers else PTP_IP.port


def replayed(output: Output, told: Conversation, arguments: dict[str, Any]) -> SimulatedCamera:
    """Return the camera of a trace. It says on the screen what it cannot answer.

    UsageError for options that the trace decides; OSError, ValueError as the camera.
    """
    context = click.get_current_context()
    for name in _OF_TRACE:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            option = next(each for each in context.command.params if each.name == name).opts[0]
            raise click.UsageError(f"{option} cannot be combined with --replay")
    from ..sim.replay import ReplayedCamera

    def unknown(text: str) -> None:
        output.record("unanswered", request=text)
        output.note(text)

    left = {name: value for name, value in arguments.items() if name not in _OF_TRACE}
    return ReplayedCamera(told, unknown, **left)


def announce(output: Output, camera: SimulatedCamera, told: Conversation) -> None:
    """Say what the trace has; last that the camera listens, which programs wait for."""
    count = len(told.exchanges)
    output.note(f"{plural(count, 'request')} with their answers; press Ctrl-C to stop")
    address = Address(camera.host, camera.port)
    output.record("listening", host=camera.host, port=camera.port, requests=count)
    output.result(f"listening on {address}")
