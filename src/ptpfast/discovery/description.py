"""The descriptions of UPnP devices: XML from anyone, so without a DTD and within limits."""

from __future__ import annotations

from xml.parsers import expat

from ..ptp.errors import ProtocolError

DEEPEST = 32  # elements within each other
LONGEST = 1000  # characters of an element that is read
WANTED = frozenset({"friendlyName", "manufacturer", "modelName", "serialNumber", "UDN"})


def parse_description(data: bytes) -> dict[str, str]:
    """Return the texts of the `WANTED` elements; of several with a name, the first.

    Raises:
        ProtocolError: it is no XML, has a DTD, or is too deep.
    """
    reader = _Reader()
    parser = expat.ParserCreate(encoding="utf-8")
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.doctype
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ProtocolError(f"a description that is no XML: {error}") from error
    return {name: text.strip() for name, text in reader.texts.items()}


class _Reader:
    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._open: list[str] = []
        self._name = ""  # of the element that is read

    def start(self, name: str, _: dict[str, str]) -> None:
        if len(self._open) >= DEEPEST:
            raise ProtocolError(f"a description with more than {DEEPEST} levels")
        local = name.rpartition(":")[2]
        self._open.append(local)
        self._name = local if local in WANTED and local not in self.texts else ""
        if self._name:
            self.texts[local] = ""

    def end(self, _: str) -> None:
        self._open.pop()
        self._name = ""

    def text(self, data: str) -> None:
        if self._name:
            self.texts[self._name] = (self.texts[self._name] + data)[:LONGEST]

    def doctype(self, *_: object) -> None:
        raise ProtocolError("a description with a DTD")
