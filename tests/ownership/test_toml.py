"""TOML from files that others can have written: it costs little, and walks cannot be too deep."""

from __future__ import annotations

import tracemalloc

import pytest

from ptpfast.ownership.toml import DEEPEST, parse_toml


def dotted(name: str, count: int) -> str:
    return ".".join([name] * count)


@pytest.mark.parametrize("name", ["a", '"b c"', "'d'", r'"\""', r'"."'])
@pytest.mark.parametrize("form", ["{} = 1", "[{}]", "[[{}]]", "x = {{ {} = 1 }}"])
def test_a_key_of_many_names_is_refused_before_it_costs_memory(name: str, form: str) -> None:
    text = "ok = 1\n" + form.format(dotted(name, 3000))
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"32 names joined by dots \(at line 2\)"):
        parse_toml(text)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2 << 20


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 100_000,
        "x = " + "{a = " * 100_000,
        "x = " + "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
        "x = " + "{a.b.c.d = " * 20 + "1" + "}" * 20,
        f"[{dotted('a', 20)}]\n{dotted('b', 20)} = 1",
    ],
)
def test_what_is_nested_deeper_than_walks_go_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_toml(text)


def test_a_number_of_many_digits_is_refused_in_plain_words() -> None:
    with pytest.raises(ValueError, match="too many digits"):
        parse_toml("x = " + "9" * 10_000)


def test_dots_in_values_and_usual_depths_are_taken() -> None:
    deep = "[" * 20 + "]" * 20
    text = f"[a.b.'c.d']\nglobs = ['*.NEF', '{'*.JPG' * 50}']\ndeep = {deep}\n"
    assert parse_toml(text)["a"]["b"]["c.d"]["globs"][0] == "*.NEF"


def test_a_long_word_is_looked_at_once() -> None:
    text = f"{'w' * (1 << 18)} = 1\nx = '{'w ' * (1 << 17)}'"
    assert parse_toml(text)["x"].startswith("w w")
