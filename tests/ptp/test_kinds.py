"""What a file is, from the extension of its name."""

import pytest

from ptpfast.ptp import kinds
from ptpfast.ptp.kinds import KINDS, extension, kind_name, kind_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("DSC_0001.NEF", "NEF"),
        ("dsc_0001.nef", "NEF"),
        ("archive.tar.gz", "GZ"),
        ("noext", ""),
        ("ends.", ""),
        (".hidden", ""),
        ("", ""),
    ],
    ids=repr,
)
def test_extension_of_a_name_is_in_capitals_without_the_dot(name, expected):
    assert extension(name) == expected


KNOWN = {
    "raw": "NEF cr3 Arw RAF dng rw2 ORI ARQ CAP IIQ",
    "jpeg": "JPG jpeg JPE",
    "heif": "HIF HEIC heif",
    "video": "MOV MP4 INSV LRV BRAW M4V 3GP M2T TS MKV MTS MXF",
    "audio": "WAV mp3 M4A",
    "other": "XMP THM DAT nef.xmp",
}


@pytest.mark.parametrize("kind", KNOWN)
def test_kind_of_a_file_is_known_by_its_extension(kind):
    assert [kind_of(f"a.{each}") for each in KNOWN[kind].split()] == [kind] * len(
        KNOWN[kind].split()
    )


@pytest.mark.parametrize("name", ["NEF", ".NEF", "DCIM", ""])
def test_name_without_an_extension_is_of_no_kind(name):
    assert kind_of(name) == "other"


def test_each_extension_stands_in_one_row_in_capitals():
    rows = [row.split() for row in kinds._EXTENSIONS.values()]
    together = [extension for row in rows for extension in row]
    assert len(together) == len(set(together))
    assert all(name == name.upper() and "." not in name for name in together)


def test_every_kind_has_a_name_for_people():
    assert [kind_name(kind) for kind in KINDS] == ["RAW", "JPEG", "HEIF", "movie", "sound", "other"]
    assert kind_name("video", 2) == "movies"
