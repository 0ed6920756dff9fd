"""What people write into a form, and the values that it becomes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.approvals.form import TEXT_LENGTH_MAX, FieldType, FormField, read_form
from asl_engine.json_value import JsonValue, dump_json
from tests.approvals.office import Office, heading_of


def field(kind: str) -> FormField:
    options = ("one", "two") if kind == "choice" else ()
    return FormField(name="f", label="F", type=FieldType(kind), options=options)


@pytest.mark.parametrize(
    ("kind", "written", "expected"),
    [
        ("text", "  plain ", "plain"),
        ("text", "a\x00b\x1b[31mc", "ab[31mc"),
        ("longText", "one\r\ntwo", "one\ntwo"),
        ("integer", " 12 ", 12),
        ("integer", "-3", -3),
        ("number", "0.25", 0.25),
        ("number", ".5", 0.5),
        ("number", "12", 12),
        ("number", "1e3", 1000.0),
        ("boolean", "on", True),
        ("date", "2026-12-31", "2026-12-31"),
        ("choice", "two", "two"),
    ],
)
def test_a_text_becomes_a_value_of_the_fields_type(kind: str, written: str, expected: JsonValue) -> None:
    assert field(kind).read(written) == expected


@pytest.mark.parametrize(
    ("kind", "written", "expected"),
    [
        ("integer", "1.5", "must be a whole number"),
        ("integer", "9" * 16, "must be a whole number"),
        ("integer", "\u0661", "must be a whole number"),
        ("number", "nan", "must be a number"),
        ("number", "1e999", "must be a number"),
        ("number", "1,5", "must be a number"),
        ("date", "31.12.2026", "must be a date"),
        ("date", "2026-02-30", "must be a date"),
        ("choice", "three", "must be one of: one, two"),
        ("text", "x" * (TEXT_LENGTH_MAX + 1), f"must have at most {TEXT_LENGTH_MAX} characters"),
    ],
)
def test_what_does_not_fit_is_told_in_words(kind: str, written: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        field(kind).read(written)


@pytest.mark.parametrize(
    "written",
    ["", " ", "\x00\x07", "\u200b", "\u2800", "\u3164", "\u00ad", "\ufe0f", "\u0301", "\U000e0001", "\u202e \u2066"],
)
@pytest.mark.parametrize("kind", FieldType)
def test_what_nobody_can_see_fills_in_nothing(kind: FieldType, written: str) -> None:
    required = FormField(name="f", label="F", type=kind, options=("one",), required_for=frozenset({"approve"}))
    assert set(read_form((required,), {"f": written}, "approve")[1]) == {"f"}
    assert read_form((required,), {"f": written}, "reject")[1] == {}


def test_a_box_that_must_be_ticked_is_not_only_a_matter_of_the_browser() -> None:
    office = Office()
    box = {"name": "read", "label": "I have read it", "type": "boolean", "requiredFor": ["approve"]}
    office.ask(form=[box])
    shown = office.visit(office.link()).body
    assert "I have read it" in shown
    assert "(needed for: Approve)" in shown

    refused = office.answer(office.link())
    assert refused.status == 422
    assert '<p class="error" id="problem-read">must be ticked</p>' in refused.body
    assert office.answer(office.link(), read="on").status == 200


@given(kind=st.sampled_from(list(FieldType)), written=st.text())
def test_any_text_has_a_value_or_a_sentence(kind: FieldType, written: str) -> None:
    values, problems = read_form((field(kind.value),), {"f": written}, "approve")
    dump_json(values)
    assert not (values and problems)


def test_a_field_may_be_needed_for_one_choice_only() -> None:
    office = Office()
    office.ask(form=[{"name": "comment", "label": "Why", "requiredFor": ["reject"]}])
    refused = office.answer(office.link(), "reject", comment="  ")
    assert (refused.status, heading_of(refused)) == (422, "Deploy model 7?")
    assert "must be filled in" in refused.body

    office.answer(office.link(), "reject", comment="too slow")
    assert office.tasks.answers[0][2]["form"] == {"comment": "too slow"}


def test_a_field_that_is_left_empty_has_no_value_and_a_box_that_is_not_ticked_is_false() -> None:
    office = Office()
    office.ask(form=[{"name": "comment"}, {"name": "sure", "type": "boolean"}, {"name": "n", "type": "integer"}])
    office.answer(office.link(), extra="ignored")
    assert office.tasks.answers[0][2]["form"] == {"sure": False}


def test_what_was_written_stands_in_the_form_again() -> None:
    office = Office()
    fields = [
        {"name": "n", "type": "number"},
        {"name": "sure", "type": "boolean"},
        {"name": "size", "type": "choice", "options": ["one", "two"]},
        {"name": "why", "type": "longText"},
        {"name": "day", "type": "date"},
    ]
    office.ask(form=fields)
    shown = office.answer(office.link(), n="<many>", sure="on", size="two", why="a\n<b>", day="2026-01-02").body
    for kept in ('value="&lt;many&gt;"', " checked>", "<option selected>two</option>", "a\n&lt;b&gt;", "2026-01-02"):
        assert kept in shown
