"""Templates for names: what they say, and what is told of a wrong one before anything is sent."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

import command_line
from ptpfast import ObjectInfo, pull
from ptpfast.library.plan.namer import CameraWords, Namer
from ptpfast.library.plan.naming import MAX_NAME_BYTES
from ptpfast.library.plan.stamps import check_format, pattern, written
from ptpfast.library.plan.template import read_template
from ptpfast.ownership.names import is_reserved

MOMENT = datetime(2026, 3, 4, 5, 6, 7)
CAMERA = CameraWords("D7200", "0006123456", "studio")


def made(
    path: str = "DCIM/100D7200/DSC_0042.NEF", captured: datetime | None = MOMENT
) -> ObjectInfo:
    return ObjectInfo(7, path.rpartition("/")[2], path, 10, 0x3800, captured)


def named(template: str, info: ObjectInfo | None = None, number: int = 0, **camera: str) -> str:
    words = CameraWords(**camera) if camera else CAMERA
    namer, info = Namer(read_template(template), words), info or made()
    return "/".join((*namer.folders(info), namer.name(info, number)))


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{name}", "DSC_0042.NEF"),
        ("{date}/{time}_{name}", "2026-03-04/050607_DSC_0042.NEF"),
        ("{date:%Y/%m/%d}/{number}", "2026/03/04/0042.NEF"),
        ("{date:%Y-%m %B}/{date:%a %j}-{number}", "2026-03 March/Wed 063-0042.NEF"),
        ("{time:%H-%M-%S}_{name}", "05-06-07_DSC_0042.NEF"),
        ("{model}_{serial}_{nickname}_{number}", "D7200_6123456_studio_0042.NEF"),
        ("{folder}/{kind}/{name:lower}.{ext:lower}", "100D7200/raw/dsc_0042.nef"),
        ("{ext}/{name}{ext}", "NEF/DSC_0042.NEF"),
        ("{name}.{ext}", "DSC_0042.NEF"),
        ("{name}_{ext}_x", "DSC_0042_NEF_x.NEF"),
        ("{{{name}}}", "{DSC_0042}.NEF"),
        ("Müller & Söhne/{name}", "Müller & Söhne/DSC_0042.NEF"),
    ],
)
def test_template_says_folders_and_name(template: str, expected: str) -> None:
    assert named(template) == expected


def test_sequence_has_its_digits_and_grows_beyond_them() -> None:
    assert named("{seq}_{name}", number=7) == "0007_DSC_0042.NEF"
    assert named("a{seq:2}", number=7) == named("a{seq:02}", number=7) == "a07.NEF"
    assert named("a{seq:1}", number=9999) == "a9999.NEF"
    assert named("{date}-{seq:04}", number=10_000) == "2026-03-04-10000.NEF"


@pytest.mark.parametrize(
    "template", ["{seq}", "{date}{seq}", "{seq}_{name}", "{name}_{seq}", "x-{seq:02}-{number}"]
)
@pytest.mark.parametrize("number", [1, 99, 12_345])
def test_sequence_number_is_read_from_the_name_again(template: str, number: int) -> None:
    namer = Namer(read_template(template), CAMERA)
    name = namer.name(made(), number)
    assert namer.number_in(name, made()) == number
    assert namer.last_number(["other.txt", name, namer.name(made(), number - 1)]) == number


def test_number_too_long_to_be_ours_does_not_count() -> None:
    namer = Namer(read_template("a_{seq}"), CAMERA)
    assert namer.last_number(["a_123456789012.NEF", "a_0003.NEF", "b_0009.NEF", "a_.NEF"]) == 3


def test_name_of_many_separators_is_read_in_no_time() -> None:
    namer = Namer(read_template("_".join(["{kind}"] * 20) + "_{seq}_" + "{kind}_" * 10), CAMERA)
    assert namer.last_number(["_" * 235 + "x" for _ in range(1000)]) == 0


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{date:%Y/%m}/{name}", "undated/DSC_0042.NEF"),
        ("{date}_{time}_{number}", "undated_undated_0042.NEF"),
        ("{date:%Y/%m}x/{name}", "undated/x/DSC_0042.NEF"),
    ],
)
def test_object_without_a_date_is_undated(template: str, expected: str) -> None:
    assert named(template, made(captured=None)) == expected


def test_what_a_camera_does_not_report_has_a_stand_in() -> None:
    nameless = {"model": "", "serial": " ", "nickname": ""}
    assert named("{model}_{serial}_{nickname}_{name}", **nameless) == (
        "unknown_unknown_unknown_DSC_0042.NEF"
    )
    assert named("{nickname}_{name}", model="D7200") == "D7200_DSC_0042.NEF"
    assert named("{folder}_{number}_{ext}_", made("README")) == "unknown_0000_unknown_"


HOSTILE = [
    *("../..", "/etc/passwd", "a/b\\c", "..", "\x1b[2J\r\n", "\0", "\u202egpj", "CON", "~", "-rf"),
    *("SHA256SUMS", ".ptpfast-deletions.jsonl", "x.part", "x" * 5000, "ü" * 300, "\ud800", " ."),
]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "template",
    [
        *("{model}/{name}", "{name}/{folder}/{serial}{name}", "{nickname}{date}", "{name}"),
        *("{model}_{serial}_{nickname}_{folder}_{seq:08}", "{name}_{seq}"),
    ],
)
def test_hostile_values_make_safe_names_in_the_expected_folders(template: str, value: str) -> None:
    info = made(f"DCIM/{value}/{value}")
    namer = Namer(read_template(template), CameraWords(value, value, value))
    folders, name = namer.folders(info), namer.name(info, 3)
    assert len(folders) == template.count("/")
    for part in (*folders, name):
        assert part not in ("", ".", "..")
        assert not set(part) & set('/\\\0\x1b\r\n<>:"|?*\u202e')
        assert not part.startswith((".", "-", "~", " "))
        assert len(part.encode()) <= MAX_NAME_BYTES
        assert not is_reserved(part)
    if "{seq" in template:
        assert namer.number_in(name, info) == 3


WRONG = {
    "": "the template is empty",
    "  ": "the template is empty",
    "{dat}/{name}": "unknown field {dat} at character 1; did you mean {date}?",
    "{Name}": "did you mean {name}?",
    "{name!r}": "unknown field {name!r} at character 1",
    "{0}": "unknown field {0}",
    "{}": "unknown field {}",
    "x/{date": "the { at character 3 is not closed",
    "{date:{name}}": "the { at character 1 is not closed",
    "a}{name}": "the } at character 2 closes nothing",
    "{name}/": "the file name is missing",
    "/x/{name}": "the name of a folder is missing",
    "a//{name}": "the name of a folder is missing",
    "../{name}": "cannot begin with '.', as at character 1",
    "a/.x/{name}": "cannot begin with '.', as at character 3",
    "-{name}": "cannot begin with '-'",
    "~/{name}": "cannot begin with '~'",
    "a./{name}": "cannot end with '.'",
    "{name} ": "cannot end with ' '",
    "{name}:x": "':' at character 7 cannot be in a file name",
    "{time:%H:%M}_{name}": "':' at character 9 cannot be in a file name",
    "a\\{name}": "write / between folders",
    "{name}\x1b[2J": "cannot be in a file name",
    "{name}\u202e": "cannot be in a file name",
    "{kind}": "all files would get the same name",
    "{date}/x": "all files would get the same name",
    "{ext}": "all files would get the same name",
    "{date:%Q}_{name}": "%Q is not known; use %Y",
    "{date:day}_{name}": "'day' has no %",
    "{date:%}_{name}": "% is not known",
    "{date:}_{name}": "no format behind the colon",
    "{name:title}": "takes lower or upper",
    "{seq}/{name}": "{seq} at character 1 is in a folder",
    "{seq}_{seq}": "{seq} is there twice",
    "{seq}{name}": "{seq} and {name} touch",
    "{serial}{seq}": "{seq} and {serial} touch",
    "5{seq}": "the digit 5 touches {seq}",
    "{seq:0}": "1 to 8",
    "{seq:9}": "1 to 8",
    "{seq:x}": "takes a number of digits",
    "SHA256SUMS/{name}": "a file of ptpfast's own",
    "a/" * 11 + "{name}": "it has 11 folders; 10 are allowed",
    "x" * 300 + "{name}": "215 are allowed",
    "x" * 300 + "/{name}": "a folder could get 300 bytes long",
}


@pytest.mark.parametrize(("template", "told"), WRONG.items())
def test_wrong_template_is_told_before_anything_is_sent(
    template: str, told: str, tmp_path: Path
) -> None:
    folder = tmp_path / "new"
    with pytest.raises(ValueError, match=r"^template: ") as raised:
        pull("192.0.2.1", folder, template=template)  # an address where nothing answers
    assert told in str(raised.value)
    done = command_line.run("pull", "192.0.2.1", folder, "--name", template)
    assert done.exit_code == 2
    assert "Invalid value for '--name'" in done.stderr
    assert "\x1b" not in done.stderr
    assert not folder.exists()


def test_template_of_another_type_is_refused(tmp_path: Path) -> None:
    for given in (5, b"{name}", ["{name}"], True):
        with pytest.raises(TypeError, match="template takes a text"):
            pull("192.0.2.1", tmp_path, template=given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "arguments", "told"),
    [
        ({"template": "{date}/{name}", "keep_folders": True}, ["--keep-folders"], "keep"),
        ({"template": "{seq}", "history": False}, ["--no-history"], "known again by the history"),
        ({"template": "{date}", "history": False}, ["--no-history"], "known again by the history"),
    ],
)
def test_template_that_contradicts_another_option_is_refused(
    options: dict[str, object], arguments: list[str], told: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=told):
        pull("192.0.2.1", tmp_path, **options)  # type: ignore[arg-type]
    done = command_line.run(
        "pull", "192.0.2.1", tmp_path, "--name", options["template"], *arguments
    )
    assert (done.exit_code, told in done.stderr) == (2, True), done.stderr


def test_formats_of_dates_agree_with_their_patterns() -> None:
    import re

    form = "%Y %y %m %d %H %M %S %j %V %B %b %A %a.%Y"
    assert check_format(form) == ""
    text = written(MOMENT, form)
    assert text == "2026 26 03 04 05 06 07 063 10 March Mar Wednesday Wed.2026"
    assert re.fullmatch(pattern(form), text)
    assert written(datetime(7, 1, 1), "%Y%m%d") == "00070101"
