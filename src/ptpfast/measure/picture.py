"""One drawing of a run as a file of its own: SVG, or PNG through resvg."""

from __future__ import annotations

import re
from pathlib import Path

from . import charts, long_charts
from .result import Result
from .series import spots
from .summary import Figures
from .svg import shown

STYLE = Path(__file__).with_name("page.css")
FORMATS = (".svg", ".png")
PNG_WIDTH = 1600  # pixels
_SIZE = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
_MARGIN, _HEADING = 24.0, 44.0


def svg(result: Result, figures: Figures) -> str:
    """Return the drawing that says most of the run: the walk, the long read, or the rates."""
    places = spots(result.intervals)
    if places:
        title, drawing = "The rate at each spot", long_charts.walk(places)
    elif result.intervals:
        title, drawing = "The rate over time", long_charts.over_time(result.intervals)
    else:
        title = "Rate by chunk size"
        drawing = charts.rates(result.readings, figures.rates.flow_mb_per_s)
    return _alone(f"{figures.about.camera or 'A camera'}: {title[0].lower()}{title[1:]}", drawing)


def _alone(title: str, drawing: str) -> str:
    """Return a drawing of the page with its own style, a title and a margin, on white."""
    size = _SIZE.search(drawing)
    assert size is not None
    width, height = float(size[1]) + 2 * _MARGIN, float(size[2]) + 2 * _MARGIN + _HEADING
    inner = drawing.removeprefix("<svg").partition(">")[2].removesuffix("</svg>")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{shown(title)}" font-family="system-ui, Roboto, DejaVu Sans, sans-serif">'
        f"<style>{_style()}</style>"
        f'<rect width="{width:g}" height="{height:g}" fill="#ffffff"/>'
        f'<text x="{_MARGIN:g}" y="{_MARGIN + 16:g}" style="font-size: 18px; font-weight: 600">'
        f"{shown(title)}</text>"
        f'<g transform="translate({_MARGIN:g} {_MARGIN + _HEADING:g})">{inner}</g></svg>\n'
    )


def _style() -> str:
    """Return the rules of the page's style, with the light colours in the place of variables."""
    text = STYLE.read_text(encoding="utf-8")
    colours = dict(re.findall(r"--([\w-]+): (#\w+)", text.partition("@media")[0]))
    rules = text.partition("* { box-sizing")[2].partition("@media")[0]
    rules = re.sub(r"var\(--([\w-]+)(?:, [^)]*\))?\)", lambda m: colours.get(m[1], "#888"), rules)
    kept = re.findall(r"((?:svg )?\.[^{};]+|svg text)\s*\{([^{}]*)\}", rules)
    return "".join(f"{name.strip()}{{{body.strip()}}}" for name, body in kept)


def png(drawing: str) -> bytes:
    """Return an SVG drawing as PNG. ModuleNotFoundError if resvg is not installed."""
    import resvg_py

    content: bytes = resvg_py.svg_to_bytes(svg_string=drawing, width=PNG_WIDTH)
    return content
