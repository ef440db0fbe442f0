"""A second reader and writer of the wire, for the tests: `struct` and two tables of letters.

It was written from the standard's tables, not from ptpfast, and shares no line with it, so that
the two agree only if both are right. Letters: b B h H i I q Q as in struct; o O a signed and an
unsigned 128-bit number; G 16 bytes; S a counted string, empty at the end of the bytes; Z a string
up to its NUL; V a u32 that may be missing; T a total; P all u32 that are left; R all bytes that are
left; and a letter with a star is an array of it.
"""

import struct

PACKETS = {1: "G Z V", 2: "I G Z V", 3: "I", 4: "", 5: "V", 6: "I H I P", 7: "H I P", 8: "H I P"}
PACKETS |= {9: "I T", 10: "I R", 11: "I", 12: "I R", 13: "", 14: ""}
DATASETS = {
    "DeviceInfo": "H I H S H H* H* H* H* H* S S S S",
    "StorageInfo": "H H H Q Q I S S",
    "ObjectInfoDataset": "I H H I H I I I I I I I H I I S S S S",
}
DATA_TYPES = {0xFFFF: "S"} | dict(enumerate("bBhHiIqQoO", start=1))
DATA_TYPES |= {0x4000 + code: DATA_TYPES[code] + "*" for code in range(1, 11)}


class LayoutError(Exception):
    """The bytes are not as the letters say."""


class Reader:
    """Reads one value after the other."""

    def __init__(self, data):
        self.data = bytes(data)

    def take(self, size):
        if size > len(self.data):
            raise LayoutError
        taken, self.data = self.data[:size], self.data[size:]
        return taken

    def values(self, letters):
        return [self.value(letter) for letter in letters.split()]

    def value(self, letter):
        left = len(self.data)
        if letter.endswith("*"):
            count = self.value("I")
            if count > len(self.data):
                raise LayoutError
            return [self.value(letter[0]) for _ in range(count)]
        if letter in "bBhHiIqQ":
            return struct.unpack("<" + letter, self.take(struct.calcsize("<" + letter)))[0]
        if letter in "oO":
            return int.from_bytes(self.take(16), "little", signed=letter == "o")
        if letter == "V":
            return self.value("I") if left >= 4 else 0
        if letter == "T":
            size = 8 if left >= 8 else 4
            total = self.take(size)
            return None if total == b"\xff" * size else int.from_bytes(total, "little")
        if letter == "S":
            return text(self.take(2 * self.value("B"))) if left else ""
        if letter == "Z":
            ends = [at + 2 for at in range(0, left - 1, 2) if self.data[at : at + 2] == b"\0\0"]
            return text(self.take(ends[0] if ends else left - left % 2))
        if letter == "P" and left % 4:
            raise LayoutError
        rest = self.take(16 if letter == "G" else left)
        return struct.unpack(f"<{left // 4}I", rest) if letter == "P" else rest


def text(data):
    return data.decode("utf-16-le", "replace").partition("\0")[0]


def write(letter, value):
    if letter.endswith("*"):
        items = [write(letter[0], item) for item in value]
        return struct.pack("<I", len(items)) + b"".join(items)
    if letter in "bBhHiIqQ":
        return struct.pack("<" + letter, value)
    if letter in "oO":
        return value.to_bytes(16, "little", signed=letter == "o")
    if letter == "T":
        return struct.pack("<Q", (1 << 64) - 1 if value is None else value)
    if letter in "SZ":
        units = (value + "\0").encode("utf-16-le")
        return units if letter == "Z" else bytes([len(units) // 2]) + units if value else b"\0"
    if letter == "V":
        return struct.pack("<I", value)
    return struct.pack(f"<{len(value)}I", *value) if letter == "P" else bytes(value)


def write_all(letters, values):
    return b"".join(map(write, letters.split(), values))


def read_packet(data):
    """(type, [values]) of the packet at the start of `data`."""
    head = Reader(data)
    length, number = head.values("I I")
    if number not in PACKETS or not 8 <= length <= len(data):
        raise LayoutError
    return number, Reader(data[8:length]).values(PACKETS[number])


def write_packet(number, values):
    body = write_all(PACKETS[number], values)
    return struct.pack("<II", 8 + len(body), number) + body


def read_prop_desc(data):
    """[code, data type, writable, default, current, form], the form as ptpfast gives it."""
    reader = Reader(data)
    code, data_type, get_set = reader.values("H H B")

    if data_type not in DATA_TYPES:
        raise LayoutError
    letter = DATA_TYPES[data_type]
    default, current = reader.value(letter), reader.value(letter)
    flag = reader.value("B") if reader.data else 0
    form = [] if flag in (1, 2) else None
    for _ in range(3 if flag == 1 else reader.value("H") if flag == 2 else 0):
        if not reader.data:
            raise LayoutError
        form.append(reader.value(letter))
    return [code, data_type, bool(get_set), default, current, tuple(form) if flag == 1 else form]
