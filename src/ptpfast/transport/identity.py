"""The identity of this computer, by which a camera recognises it."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:
    from .tapping import Recorder

GUID_BYTES = 16


class Identity(NamedTuple):
    """The identity that a camera receives.

    Attributes:
        guid: 16 bytes; None for the computer's.
        name: the name that the camera may show; None for the computer's.
        confirm: called with a text if the camera does not answer the identity, because its owner
            may have to accept this computer first. The answer is then waited for
            `Timeouts.approval` seconds. None waits for the handshake's time only.
        usual: GUID and name of this computer, as its user has kept them, for those that are None.
        look: called several times a second while the answer is awaited. An exception that it raises
            ends the wait.
        recorder: what records the connections; None: nothing does.
    """

    guid: bytes | None = None
    name: str | None = None
    confirm: Callable[[str], object] | None = None
    look: Callable[[], object] | None = None
    usual: tuple[bytes, str] | None = None
    recorder: Recorder | None = None

    @classmethod
    def of(cls, guid: Any = None, name: Any = None) -> Self:
        """Return the identity of two arguments. TypeError, ValueError."""
        if guid is not None and not isinstance(guid, bytes):
            raise TypeError(f"guid takes 16 bytes, not {guid!r:.60}")
        if guid is not None and len(guid) != GUID_BYTES:
            raise ValueError(f"guid takes 16 bytes, not {len(guid)}")
        if name is not None and not isinstance(name, str):
            raise TypeError(f"name takes a text, not {name!r:.60}")
        return cls(guid, name)

    def filled(self) -> Self:
        """Return the identity with a GUID and a name."""
        guid, name = self.usual or (None, None)
        return self._replace(
            guid=self.guid or guid or default_guid(), name=self.name or name or default_name()
        )


def default_guid() -> bytes:
    """Return this computer's GUID. It is the same in every run, because cameras tie pairing to it.

    Notes:
        Ten bytes from the machine's id (its name without one), then six zero bytes: Sony bodies
        accept such a GUID from any host, other bodies do not care (airmtp).
    """
    import hashlib  # only here: it would be a good part of `import ptpfast`

    try:
        machine = Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        machine = ""
    seed = f"ptpfast {machine or socket.gethostname()}"
    return hashlib.sha256(seed.encode(errors="surrogateescape")).digest()[:10] + bytes(6)


def new_guid() -> bytes:
    """Return a GUID that no camera has seen, in the form of `default_guid`."""
    return os.urandom(10) + bytes(6)


def default_name() -> str:
    """Return this computer's name, as the camera may show it."""
    return socket.gethostname() or "ptpfast"
