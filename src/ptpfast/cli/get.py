"""`ptpfast get`: show the device properties of a camera."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from ..session.address import parse_address
from ..transport.contract import Address
from .only_camera import only_camera
from .options import Common, command
from .output import Output, plural
from .waiting import showing

if TYPE_CHECKING:
    from ..ptp.datasets import DevicePropDesc
    from ..session.session import Session

NAME_WIDTH = 28
remote_option = click.option(
    "--remote",
    is_flag=True,
    help="Take control of the camera; some cameras have more properties then.",
)


@command(
    "get 192.168.1.1",
    "get battery-level",
    "get 192.168.1.1 battery-level",
    "get 192.168.1.1 exposure-time 0x500F --remote --json",
)
@click.argument("words", nargs=-1, metavar="[CAMERA] [NAME]...")
@remote_option
def get(common: Common, words: tuple[str, ...], remote: bool) -> None:
    """Show all properties of the camera, or only some.

    The first word is the camera, unless it is the name of a property.
    """
    host, names = divided(words, is_property)
    with session_for(common, host, remote=remote) as session:
        if names:
            wanted = [(name, code_for(session, name)) for name in names]
            for name, code in wanted:
                show(common.output, session, described(session, name, code), with_choice=True)
        else:
            _all(common.output, session)


def divided(
    words: tuple[str, ...], is_name: Callable[[str], bool]
) -> tuple[Address | None, tuple[str, ...]]:
    """Return the camera, None without one, and the words behind it. BadParameter."""
    if not words or is_name(words[0]):
        return None, words
    try:
        return parse_address(words[0]), words[1:]
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="'[CAMERA]'") from error


def is_property(word: str) -> bool:
    """Return whether a word is the name of a property of any vendor, and no camera's nickname."""
    from ..ptp.properties import code_of_property
    from ..state import identity
    from ..vendors import NAMES, named

    try:
        code_of_property(word, *(named(each).properties for each in NAMES))
    except ValueError:
        return False
    return identity.find(word) is None


def session_for(common: Common, host: Address | None, *, remote: bool) -> Session:
    """Open a session to read properties, or to control the camera; without one, the only one."""
    from ..session.connecting import connect

    host = host or Address(*only_camera(common.output))
    return connect(
        host[0],
        port=host[1],
        timeouts=common.brief_timeouts,
        waiting=showing(common.output, for_owner_only=True),
        role="remote" if remote else "download",
        trace=common.trace,
    )


def code_for(session: Session, name: str) -> int:
    """Return the code of a property by its name. BadParameter if no table has it."""
    from ..ptp.properties import code_of_property

    try:
        return code_of_property(name, session.vendor.properties)
    except ValueError as error:
        near = _near(session, name)
        raise click.BadParameter(f"{error}{near}", param_hint="NAME") from None


def described(session: Session, name: str, code: int) -> DevicePropDesc:
    """Return a property. A refusal has its name, and how to see the names of the others."""
    from ..ptp.codes import ResponseCode
    from ..ptp.errors import ResponseError

    try:
        return session.property_desc(code)
    except ResponseError as error:
        error.precede(name)
        if error.code == ResponseCode.DevicePropNotSupported:
            error.hint = "'ptpfast get CAMERA' lists the properties of this camera"
        raise


def _near(session: Session, name: str) -> str:
    """Return the name that may have been meant, in words; '' if none is like it."""
    from difflib import get_close_matches

    names = [session.property_name(code) for code in session.property_codes()]
    names += ["iso", "aperture", "shutter-speed"]  # which are understood, too
    near = get_close_matches(name.lower(), names, 1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def show(
    output: Output, session: Session, desc: DevicePropDesc, *, with_choice: bool = False
) -> None:
    """Write a property: a line and a record.

    Args:
        output: where it goes.
        session: the session with the camera.
        desc: the property.
        with_choice: write the allowed values, too.
    """
    name = session.property_name(desc.code)
    output.record("property", **_record(name, desc))
    if not output.for_terminal:
        output.result(f"{name}\t{desc.words}")
        return
    mark = "" if desc.writable else "  (read-only)"
    output.result(f"{name:<{NAME_WIDTH}} {desc.words}{mark}")
    if with_choice and desc.writable and desc.allowed_words:
        output.sentence(f"  may be {desc.allowed_words}")


def _record(name: str, desc: DevicePropDesc) -> dict[str, Any]:
    form = desc.form
    return {
        "name": name,
        "code": desc.code,
        "value": desc.current,
        "words": desc.words,
        "default": desc.factory_default,
        "data_type": desc.data_type,
        "writable": desc.writable,
        "range": list(form) if isinstance(form, tuple) else None,
        "allowed": form if isinstance(form, list) else None,
    }


def _all(output: Output, session: Session) -> None:
    """Show every property that the camera describes."""
    from ..ptp.errors import ProtocolError, ResponseError

    codes = session.property_codes()
    untold = 0
    for code in codes:
        try:
            desc = session.property_desc(code)
        except (ResponseError, ProtocolError) as error:
            if not session.usable:
                raise
            untold += 1
            name = session.property_name(code)
            output.record("property", name=name, code=code, value=None, error=error.message)
            continue
        show(output, session, desc)
    if not codes:
        output.note("the camera lists no properties; some do with --remote")
    elif untold:
        told = plural(untold, "property is", "properties are")
        output.note(f"{told} listed, but not described")
