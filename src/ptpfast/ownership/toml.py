"""Parse TOML that other programs can have written.

`tomllib` takes memory and time in the square of the names that a key joins with dots: a line of
100 KiB takes 30 GiB. It raises RecursionError for deep tables, and so does what walks through them.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

DEEPEST = 32  # tables and lists within each other, and names of one key
_NAME = r"""(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"(?<![\w-])(?:{_NAME}[ \t]*+\.[ \t]*+){{{DEEPEST}}}")


def parse_toml(text: str) -> dict[str, Any]:
    """Return the tables of a TOML text. Raises ValueError with what is wrong, and where."""
    if long := _LONG_KEY.search(text):
        line = text.count("\n", 0, long.start()) + 1
        raise ValueError(f"more than {DEEPEST} names joined by dots (at line {line})")
    try:
        tables = tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except tomllib.TOMLDecodeError:
        raise
    except ValueError:  # Python's limit, with advice for programmers
        raise ValueError("a number has too many digits") from None
    if _is_deep(tables):
        raise ValueError("it is nested too deeply")
    return tables


def _is_deep(tables: dict[str, Any]) -> bool:
    level: list[Any] = [tables]
    for _ in range(DEEPEST):
        inner = [each.values() if isinstance(each, dict) else each for each in level]
        level = [value for values in inner for value in values if isinstance(value, (dict, list))]
        if not level:
            return False
    return True
