"""What `ptpfast bench` writes at its end: lines, records, and the files that were asked for."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .._version import __version__
from ..engine.text import printable
from ..ownership.named import write_named
from ..ptp.errors import disk_error
from .output import SCHEMA, Output

if TYPE_CHECKING:
    from ..measure.result import Result
    from ..measure.summary import Figures
    from ..measure.verdict import Verdict


@dataclass(frozen=True)
class Files:
    """The files to write; None for those that were not asked for."""

    html: Path | None
    picture: Path | None
    save: Path | None

    def check(self) -> None:
        """Refuse what could not be written at the end. BadParameter."""
        from ..measure.picture import FORMATS

        for option in ("html", "picture", "save"):
            path: Path | None = getattr(self, option)
            if path is None:
                continue
            if not path.absolute().parent.is_dir():
                text = f"there is no folder {path.parent}"
                raise click.BadParameter(text, param_hint=f"'--{option}'")
            if path.exists() and not path.is_file():
                text = f"{path} is not a regular file"
                raise click.BadParameter(text, param_hint=f"'--{option}'")
        if self.picture is None:
            return
        if self.picture.suffix.lower() not in FORMATS:
            text = "the name must end with .svg or .png"
            raise click.BadParameter(text, param_hint="'--picture'")
        if self.is_png and importlib.util.find_spec("resvg_py") is None:
            text = "a PNG needs resvg-py: pip install 'ptpfast[report]', or write an .svg"
            raise click.BadParameter(text, param_hint="'--picture'")

    @property
    def is_png(self) -> bool:
        """Whether the name of the picture ends with .png."""
        return self.picture is not None and self.picture.suffix.lower() == ".png"


def report(output: Output, result: Result, wanted: Files, earlier: list[Figures]) -> None:
    """Write lines, records and files of a run, complete or not."""
    from ..measure import figures as all_figures
    from ..measure.report import records
    from ..measure.text import lines
    from ..measure.verdict import judge

    figures = all_figures.figures(result)
    verdict = judge(figures, result.readings)
    for type, fields in records(result, figures, verdict):
        output.record(type, **fields)
    for line in lines(result, figures, verdict, earlier):
        if output.json:
            output.note(line)
        else:
            output.result(printable(line))
    if wanted.html is not None:
        from ..measure.page import page

        _write(wanted.html, page(result, figures, verdict, earlier).encode(*_TEXT), "--html")
        output.note(f"the page is {wanted.html}")
    if wanted.picture is not None:
        from ..measure.picture import png, svg

        drawing = svg(result, figures)
        content = png(drawing) if wanted.is_png else drawing.encode(*_TEXT)
        _write(wanted.picture, content, "--picture")
        output.note(f"the picture is {wanted.picture}")
    if wanted.save is not None:
        _save(wanted.save, result, figures, verdict)
        output.note(f"the results to show to others are {wanted.save}")


_TEXT = ("utf-8", "backslashreplace")


def _save(path: Path, result: Result, figures: Figures, verdict: Verdict) -> None:
    from ..measure.anonymous import without_place
    from ..measure.report import interval_fields, records

    rows = [("interval", interval_fields(each)) for each in result.intervals]
    rows += records(result, figures, verdict)
    header = {"type": "header", "schema": SCHEMA, "command": "bench", "version": __version__}
    lines = [header, *({"type": type, **fields} for type, fields in without_place(rows, result))]
    _write(path, "".join(json.dumps(line) + "\n" for line in lines).encode(), "--save")


def _write(path: Path, content: bytes, option: str) -> None:
    """Write the whole file or nothing."""
    try:
        write_named(path, content)
    except OSError as error:
        hint = f"give another file with {option}"
        raise disk_error("write", path, error, hint=hint) from error
