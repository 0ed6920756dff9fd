from asl_engine.language.definition import StateType
from asl_engine.language.states import SYNTAXES


def test_every_state_type_has_its_syntax() -> None:
    assert set(SYNTAXES) == set(StateType)
