"""`ptpfast pair`: have a camera's owner accept this computer, and remember the camera."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from ..ptp.errors import ConnectFailed, InitFailed, OwnerAsked, PTPError
from .countdown import Countdown
from .only_camera import only_camera
from .options import Address, Common, command
from .output import Output

if TYPE_CHECKING:
    from ..session.session import Session
    from ..state.identity import Known
    from ..vendors.menus import Menus


def _nickname(ctx: Any, param: Any, value: str | None) -> str:
    from ..state.identity import NICKNAME

    if value is not None and not NICKNAME.fullmatch(value):
        raise click.BadParameter(
            f"{value!r} is not a nickname; write a letter, then up to 39 letters, digits, - and _"
        )
    return value or ""


@command(
    "pair",
    "pair 192.168.1.40 --name studio",
    "pair --list",
    "pair --forget studio",
    "pair 192.168.1.40 --new-identity",
)
@click.argument("host", type=Address(), metavar="[CAMERA]", required=False)
@click.option(
    "--name",
    "nickname",
    callback=_nickname,
    metavar="NICKNAME",
    help="A nickname, to use in place of the camera's address.",
)
@click.option(
    "--new-identity",
    is_flag=True,
    help="Use a new identity, for a camera that has rejected this computer.",
)
@click.option("--list", "listing", is_flag=True, help="List the paired cameras.")
@click.option("--forget", metavar="NICKNAME", help="Forget a camera, by nickname or address.")
def pair(
    common: Common,
    host: tuple[str, int] | None,
    nickname: str,
    new_identity: bool,
    listing: bool,
    forget: str | None,
) -> None:
    """Pair this computer with a camera, and remember the camera.

    Connects, says what to press on the camera, and waits for it. Cameras
    recognise this computer by its GUID and its name, so both are kept. A camera that needs no
    confirmation is remembered, too.
    """
    output = common.output
    if listing or forget is not None:
        if host is not None or nickname or new_identity or (listing and forget is not None):
            raise click.UsageError("--list and --forget do not connect: use them alone")
        _list(output) if forget is None else _forget(output, forget)
        return
    guid, name = _identity(output, new=new_identity)
    host = host or only_camera(output)
    owner = Owner(output, host)
    with owner.explained(), owner.session(common) as session:
        camera = _known(session, nickname)
    _remember(output, camera, guid, name, asked=owner.asked)


class Owner:
    """The camera's owner, who is told what to press, and for how long."""

    def __init__(self, output: Output, host: tuple[str, int]) -> None:
        self.asked: bool = False
        self._output = output
        self._host = host
        self._vendor = ""
        self._countdown = Countdown(output)

    def session(self, common: Common) -> Session:
        """Connect, and wait for the owner."""
        from ..session.connecting import connect

        try:
            return connect(
                self._host[0],
                port=self._host[1],
                timeouts=common.timeouts,
                waiting=self._waiting,
                trace=common.trace,
            )
        finally:
            self._countdown.end()

    def explained(self) -> _Explained:
        """Return a context that adds to an error what the owner can do."""
        return _Explained(self)

    def menus(self) -> Menus:
        """Return the words for the camera's vendor, as far as it is known."""
        from ..doctor.brand import vendor_of
        from ..vendors import STANDARD, named

        if self._vendor:
            return named(self._vendor).menus
        return (vendor_of(self._host[0]) or STANDARD).menus

    def _waiting(self, error: PTPError) -> None:
        if not isinstance(error, OwnerAsked):
            self._output.record("waiting", reason=error.message, seconds=None)
            self._output.note(error.message)
            return
        self.asked = True
        self._vendor = error.vendor or self._vendor
        menus = self.menus()
        seconds = error.within_s
        self._output.record(
            "waiting", reason=error.message, seconds=seconds, press=menus.accept or None
        )
        self._output.note(error.message)
        self._countdown.begin(menus.accept or "accept this computer on the camera", seconds)


class _Explained:
    """Adds to an error what the owner of the camera can do."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: Any, error: BaseException | None, __: Any) -> None:
        from ..ptp.codes import FailReason

        if isinstance(error, InitFailed) and error.reason == FailReason.REJECTED_INITIATOR:
            menus = self._owner.menus()
            error.hint = f"to be asked, on the camera: {menus.connect}; after a rejection: "
            error.hint += menus.readmit
        elif isinstance(error, ConnectFailed):
            error.hint = f"{self._owner.menus().connect}; 'ptpfast doctor' finds out why"


def _identity(output: Output, *, new: bool) -> tuple[bytes, str]:
    """Return GUID and name of this computer; they are kept from the first time on."""
    from ..state import identity
    from ..transport.identity import Identity, default_name, new_guid

    own = Identity(usual=identity.own()).filled()
    guid, name = own.guid or b"", (own.name or default_name())[:39]
    if new:
        guid = new_guid()
    if identity.own() != (guid, name):
        file = identity.keep(guid, name)
        if new:
            output.note(f"a new identity is kept in {file}; other cameras have to be paired again")
    return guid, name


def _known(session: Session, nickname: str) -> Known:
    from ..state.identity import Known

    device, connection = session.device_info, session.link.connection
    return Known(
        nickname,
        *connection.address,
        vendor=session.vendor.name,
        model=device.model[:100],
        serial_number=device.serial_number[:100],
        guid=connection.guid.hex(),
        approved=datetime.now().astimezone().isoformat(timespec="seconds"),
    )


def _remember(output: Output, camera: Known, guid: bytes, name: str, *, asked: bool) -> None:
    from ..state import identity
    from ..transport.contract import Address as Place

    file = identity.remember(camera, guid, name)
    output.record("paired", **asdict(camera), asked=asked, file=os.fspath(file))
    what = camera.model or "the camera"
    how = "has accepted this computer" if asked else "accepts this computer"
    output.sentence(f"{what} at {camera.host} {how} ({name}).")
    shown = camera.nickname or Place(camera.host, camera.port)
    output.note(f"remembered in {file}; next: ptpfast pull {shown} FOLDER")


def _list(output: Output) -> None:
    from ..state import identity

    kept = identity.load()
    for camera in kept.cameras:
        output.record("known", **asdict(camera))
        cells = (camera.nickname, camera.host, str(camera.port), camera.model, camera.approved)
        output.result("\t".join(cell or "-" for cell in cells))
    if not kept.cameras:
        output.note("no camera is paired")


def _forget(output: Output, word: str) -> None:
    from ..state import identity

    if not identity.forget(word):
        known = "'ptpfast pair --list' shows those that are"
        raise click.UsageError(f"no camera {word!r} is remembered; {known}")
    output.record("forgotten", camera=word)
    output.note(f"forgotten: {word}; the camera itself still knows this computer")
