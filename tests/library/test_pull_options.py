"""The options of `pull` and `connect` are stated once each, and a wrong one is named."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

import pytest

from ptpfast import PullOptions, connect, pull
from ptpfast.library.plan.options import Options
from ptpfast.library.plan.selection import Choosing, Selection
from ptpfast.session.connecting import Initiator
from ptpfast.transport.identity import Identity

WHERE = {"cameras", "destination"}


def names(kind: type[Options | Selection]) -> set[str]:
    return {field.name for field in fields(kind)}


def test_what_the_options_are_read_into_has_the_same_names() -> None:
    of_connect = set(inspect.signature(connect).parameters) & PullOptions.__optional_keys__
    assert names(Selection) == Choosing.__optional_keys__
    own = names(Options) - {"destination", "selection", "news"}  # `news` is for `watch`
    assert PullOptions.__optional_keys__ == names(Selection) | own | of_connect
    assert not own & of_connect
    traces = {"trace", "trace_payload", "trace_names"}  # they become the recorder
    inside = {"confirm", "look", "usual", "recorder"}
    assert Initiator.__optional_keys__ - traces == set(Identity._fields) - inside


def test_signature_that_help_shows_has_each_option_and_its_default() -> None:
    shown = inspect.signature(pull).parameters
    assert set(shown) == WHERE | PullOptions.__optional_keys__
    assert all((p.default is p.empty) == (name in WHERE) for name, p in shown.items())
    assert (shown["order"].default, shown["retry"].default) == ("listed", 8)


def test_signature_of_connect_has_the_name_and_the_guid() -> None:
    shown = inspect.signature(connect).parameters
    switches = {"trace_payload": False, "trace_names": False}
    for name in Initiator.__optional_keys__:
        assert shown[name].default is switches.get(name)
    assert not any(p.kind is p.VAR_KEYWORD for p in shown.values())


def test_each_option_has_a_type_and_is_in_the_help() -> None:
    assert set(get_type_hints(PullOptions)) == PullOptions.__optional_keys__
    text = inspect.getdoc(pull) or ""
    assert {name for name in PullOptions.__optional_keys__ if name not in text} == set()


def test_an_option_that_there_is_not_is_named_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"pull\(\) got an unexpected .* 'overwrite'"):
        pull("192.0.2.1", tmp_path / "new", overwrite=True)
    with pytest.raises(TypeError, match=r"connect\(\) got an unexpected .* 'hostname'"):
        connect("192.0.2.1", hostname="me")
    assert not (tmp_path / "new").exists()
