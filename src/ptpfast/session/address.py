"""The forms of a camera's address: as people type it, and as other programs write it."""

from __future__ import annotations

import os
import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from urllib.parse import urlsplit

from ..ptp.arguments import whole
from ..ptp.codes import DEFAULT_PORT
from ..transport.contract import Address

_BRACKETED = re.compile(r"\[([^\[\]]+)\](?::(.*))?", re.DOTALL)
_ALLOWED = re.compile(r"[\w.:%-]+")
_PORT_BEHIND = re.compile(r"(.+):([0-9]{1,5})", re.DOTALL)
_GPHOTO2 = re.compile(r"ptpip:(?://)?(?=.*\D)", re.IGNORECASE)  # `gphoto2 --port ptpip:1.2.3.4`
_URL = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_USB = re.compile(r"usb(disk)?:", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9.]+")
_WEB_PORTS = (80, 443, 8000, 8080)  # of a page, so not of the camera
_FORMS = "write HOST, HOST:PORT or [IPv6]:PORT"
MOST_LETTERS = 300  # a host name has at most 253


def parse_address(text: str) -> Address:
    """Return host and port of an address.

    The forms are `HOST[:PORT]`, `[IPv6][:PORT]` and a bare IPv6 address, each also after `ptpip:`,
    and the nickname of a camera that was paired or is in `config.toml`.

    Raises:
        TypeError: The address is not a text.
        ValueError: It is not an address; the message has the right form.
    """
    host, port = _divided(text)
    return Address(host, DEFAULT_PORT if port is None else port)


def address_of(host: str, port: int | None, default: int = DEFAULT_PORT) -> Address:
    """Return the address for the arguments `host` and `port`; `default` is the port of neither.

    Raises:
        TypeError, ValueError: Either is wrong, or the host contains another port.
    """
    name, own = _divided(host)
    if port is None:
        return Address(name, default if own is None else own)
    number = whole("port", port, "a port, such as 15740", 1, 0xFFFF)
    if own not in (None, number):
        raise ValueError(f"{host!r} names port {own}, and port={number} another one: give one")
    return Address(name, number)


def are_swapped(camera: str, folder: Any) -> bool:
    """Return whether a camera and a folder were given in the wrong order.

    That is so if the camera is an existing folder, and the folder is an IP address and no existing
    folder.

    Args:
        camera: The argument for the camera.
        folder: The argument for the folder.
    """
    text = os.fspath(folder) if isinstance(folder, str | os.PathLike) else ""
    if not isinstance(text, str) or not os.path.isdir(camera) or os.path.isdir(text):
        return False
    try:
        ip_address(parse_address(text).host.partition("%")[0])
    except ValueError:
        return False
    return True


def is_camera(text: str) -> bool:
    """Return whether a word can only be a camera: an IP address, or a host with a port.

    A bare host name is none: a folder may have that name.
    """
    try:
        host, port = _divided(text)
    except ValueError:
        return False
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return port is not None
    return True


def is_nickname(text: str) -> bool:
    """Return whether a word is the nickname of a camera, paired or in `config.toml`."""
    from ..state import config, identity

    if not identity.NICKNAME.fullmatch(text):
        return False
    return config.address(text) is not None or identity.find(text) is not None


def near_nickname(text: str) -> str:
    """Return the nickname that may have been meant by a name that nothing has; '' without one."""
    from difflib import get_close_matches

    from ..state import config, identity

    known = [*config.cameras().table(config.CAMERAS)]
    known += [each.nickname for each in identity.load().cameras if each.nickname]
    return next(iter(get_close_matches(text.lower(), known, 1)), "")


def _divided(text: Any) -> tuple[str, int | None]:
    """Return host and port of an address; a nickname stands for both."""
    host, port = _as_written(text)
    if "." in host or ":" in host:
        return host, port
    from ..state import config, identity  # not at once: a good part of `import ptpfast`

    if (named := config.address(host) if identity.NICKNAME.fullmatch(host) else None) is not None:
        return _configured(host, *named, port)
    camera = identity.find(host)
    if camera is None:
        return host, port
    return camera.host, camera.port if port is None else port


def vendor_at(address: Address) -> str:
    """Return the vendor that `config.toml` names for the camera at an address; '' without one."""
    from ..state import config
    from ..vendors import NAMES

    for nickname, table in config.cameras().table(config.CAMERAS).items():
        named = config.address(nickname) if isinstance(table, dict) else None
        if named is None or named[1] not in NAMES:
            continue
        try:
            host, port = _configured(nickname, *named, None)
        except ValueError:
            continue
        if address == (host, DEFAULT_PORT if port is None else port):
            return named[1]
    return ""


def _configured(
    nickname: str, written: str, vendor: str, port: int | None
) -> tuple[str, int | None]:
    """Return host and port of a camera in `config.toml`; its vendor may have another usual port."""
    from ..vendors import NAMES, named

    try:
        host, own = _as_written(written)
    except ValueError as error:
        raise ValueError(f"the address of {nickname} in config.toml: {error}") from error
    if own is None and vendor in NAMES:
        own = named(vendor).transport.port
    return host, own if port is None else port


def _as_written(text: Any) -> tuple[str, int | None]:
    if not isinstance(text, str):
        raise TypeError(f"a camera's address is a text, such as '192.168.1.1', not {text!r:.60}")
    if len(text) > MOST_LETTERS:
        raise ValueError(f"{text[:40]!r}... is too long for an address; {_FORMS}")
    _refuse_other_kinds(text)
    bare = text.strip()
    if prefix := _GPHOTO2.match(bare):
        bare = bare[prefix.end() :].removesuffix("/")
    if match := _BRACKETED.fullmatch(bare):
        host, port = match[1], match[2]
        if not _is_ipv6(host):
            raise ValueError(f"{host!r} in brackets is not an IPv6 address; {_FORMS}")
    elif bare.count(":") > 1:
        host, port = bare, None
        if not _is_ipv6(host):
            raise ValueError(f"{text!r} is not an address; {_right_form(bare)}")
    else:
        host, colon, rest = bare.partition(":")
        port = rest if colon else None
    if not _ALLOWED.fullmatch(host) or host.startswith("-"):
        raise ValueError(f"{text!r} is not an address; {_FORMS}")
    if _DIGITS.fullmatch(host) and not _is_ipv4(host):
        is_port = host.isdecimal() and 0 < int(host) < 1 << 16
        right = f"a port is written 192.168.1.1:{host}"
        if not is_port:
            right = "write four numbers of 0 to 255: 192.168.1.1"
        raise ValueError(f"{host!r} is not an IP address; {right}")
    try:
        host.encode("idna")
    except UnicodeError:
        raise ValueError(f"{text!r} is not a host name") from None
    if port is None:
        return host, None
    if not port.isascii() or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise ValueError(f"{text!r}: {port!r} is not a port (1 to 65535); write HOST or HOST:PORT")
    return host, int(port)


def _refuse_other_kinds(text: str) -> None:
    """Raise ValueError for an address of another kind, or for a folder."""
    text = text.strip()
    if (url := _URL.match(text)) and url[1].lower() != "ptpip":
        raise ValueError(f"{text!r} is a web address; {_of_url(text)}")
    if _USB.match(text):
        raise ValueError(f"{text!r} is a camera at a USB cable; ptpfast needs its Wi-Fi address")
    if not url and text.startswith(("/", "~", ".", "\\")):
        raise ValueError(f"{text!r} is a folder, not a camera's address; the camera comes first")
    if not _GPHOTO2.match(text) and "/" in text:
        raise ValueError(f"{text!r} is not an address but a path or a network; {_FORMS}")


def _of_url(text: str) -> str:
    """Return the advice for a URL: what to write instead."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not _ALLOWED.fullmatch(host):
        return _FORMS
    behind = "" if port in (None, *_WEB_PORTS) else f":{port}"
    return f"write {f'[{host}]' if ':' in host else host}{behind}"


def _right_form(text: str) -> str:
    """Return the advice for an IPv6 address that has a port but no brackets."""
    match = _PORT_BEHIND.fullmatch(text)
    if match and _is_ipv6(match[1]):
        return f"write [{match[1]}]:{match[2]}"
    return _FORMS


def _is_ipv4(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def _is_ipv6(text: str) -> bool:
    address, _, zone = text.partition("%")
    try:
        IPv6Address(address)
    except ValueError:
        return False
    return ":" not in zone
