"""`ptpfast set`: change device properties of a camera."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .failure import REFUSED, Failure
from .get import code_for, described, divided, session_for, show
from .options import Common, command

if TYPE_CHECKING:
    from ..ptp.datasets import DevicePropDesc
    from ..session.session import Session

SETTLE_S = 3.0  # some cameras report a new value a moment after they have taken it


@command(
    "set 192.168.1.1 white-balance=daylight",
    "set iso=400",
    "set 192.168.1.1 exposure-time=1/250 exposure-index=400",
    "set 192.168.1.1 0x5013=2",
)
@click.argument("words", nargs=-1, required=True, metavar="[CAMERA] NAME=VALUE...")
def set(common: Common, words: tuple[str, ...]) -> int:
    """Change properties of the camera, in the order given.

    A value is written as `ptpfast get` shows it, or as a plain number. All names and values are
    checked before the first one is set.
    """
    host, rest = divided(words, lambda word: "=" in word)
    if not rest:
        raise click.UsageError("say what to change: NAME=VALUE")
    if len(rest) > 1 and not any("=" in word for word in rest):
        raise click.BadParameter(f"write {rest[0]}={rest[1]}, as one word", param_hint="NAME=VALUE")
    settings = [_setting(word) for word in rest]
    with session_for(common, host, remote=True) as session:
        wanted = [_checked(session, name, text) for name, text in settings]
        for desc, value in wanted:
            session.set_property(desc.code, value)
            now = _settled(session, desc, value)
            show(common.output, session, now)
            if now.current != value:
                name = session.property_name(desc.code)
                common.output.fail(
                    Failure(
                        f"the camera accepted {name}, and keeps {now.words}",
                        "set it on the camera, or try another mode of it",
                        REFUSED,
                    )
                )
                return REFUSED
    return 0


def _setting(word: str) -> tuple[str, str]:
    """Return name and value of `NAME=VALUE`. BadParameter."""
    name, equals, text = word.partition("=")
    if not (equals and name.strip()):
        raise click.BadParameter(
            f"{word!r} is not NAME=VALUE, such as white-balance=daylight", param_hint="NAME=VALUE"
        )
    return name.strip(), text


def _checked(session: Session, name: str, text: str) -> tuple[DevicePropDesc, Any]:
    """Return a property and its new value. BadParameter if that cannot be."""
    desc = described(session, name, code_for(session, name))
    if not desc.writable:
        raise click.BadParameter(f"{name} is read-only: it is {desc.words}", param_hint="NAME")
    try:
        return desc, desc.parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="VALUE") from None


def _settled(session: Session, desc: DevicePropDesc, value: Any) -> DevicePropDesc:
    """Return the property as the camera describes it once the value is there, or after a while."""
    from ..link.patience import Patience
    from ..ptp.errors import PTPError

    patience = Patience(SETTLE_S)
    while (now := session.property_desc(desc.code)).current != value and not patience.is_used_up:
        patience.wait(PTPError("the value is not there yet"))
    return now
