"""The kinds of faults: each has an effect, and stands in the module of its stage."""

from __future__ import annotations

import pytest

from each import each
from ptpfast.sim import KINDS
from ptpfast.sim.effects import answers, breaks, data, datasets, handshake, responses
from ptpfast.sim.kinds import Kind, Stage

MODULES = {
    Stage.INIT: handshake,
    Stage.ANSWER: answers,
    Stage.BREAK: breaks,
    Stage.DATASET: datasets,
    Stage.DATA: data,
    Stage.RESPONSE: responses,
}


@each(KINDS)
def test_a_kind_is_named_after_its_effect_in_the_module_of_its_stage(name: str) -> None:
    kind = KINDS[name]
    assert kind.name == name == kind.effect.__name__
    assert vars(MODULES[kind.stage])[name] is kind


def test_a_kind_without_an_effect_cannot_be_made() -> None:
    with pytest.raises(TypeError):
        Kind("nothing", Stage.ANSWER, "does nothing")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="'nothing' has no effect"):
        Kind("nothing", Stage.ANSWER, "does nothing", None)  # type: ignore[arg-type]
