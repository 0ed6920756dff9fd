from asl_engine.language.diagnostics import (
    PROBLEMS_MAX,
    Diagnostic,
    DiagnosticCode,
    Problems,
    Severity,
    did_you_mean,
    pointer,
    printable,
)


def test_a_diagnostic_without_a_text_shows_no_line() -> None:
    warning = Diagnostic(
        severity=Severity.WARNING, code=DiagnosticCode.UNBOUNDED_MAP, location="/States/A", message="nothing bounds it"
    )

    assert str(warning) == "warning UNBOUNDED_MAP /States/A: nothing bounds it"


def test_a_diagnostic_without_a_place_shows_none() -> None:
    error = Diagnostic(
        severity=Severity.ERROR,
        code=DiagnosticCode.INVALID_YAML,
        location="",
        message="unread",
        hint="first\nsecond",
        source_name="a.yaml",
    )

    assert str(error) == "a.yaml: error INVALID_YAML: unread\n  hint: first\n  second"


def test_a_pointer_escapes_what_has_a_meaning_in_it() -> None:
    assert pointer(()) == "/"
    assert pointer(("States", "a/b~c", 0)) == "/States/a~1b~0c/0"


def test_the_same_problem_is_kept_once() -> None:
    problems = Problems()
    problems.error(("a",), "wrong")
    problems.error(("a",), "wrong")

    assert len(list(problems)) == 1


def test_problems_are_bounded_and_errors_still_counted() -> None:
    problems = Problems()
    for index in range(PROBLEMS_MAX + 5):
        problems.error((index,), "wrong")

    assert len(list(problems)) == PROBLEMS_MAX
    assert problems.errors == PROBLEMS_MAX + 5


def test_the_nearest_name_is_found_whatever_its_case() -> None:
    assert did_you_mean("timeoutseconds", ["TimeoutSeconds", "Type"]) == 'did you mean "TimeoutSeconds"?'
    assert did_you_mean("xyz", ["One", "Two"]) == "known: One, Two"
    assert did_you_mean("xyz", [f"State{index}" for index in range(50)]) == ""


def test_control_characters_are_shown_and_not_obeyed() -> None:
    assert printable("a\x1b[2Jb\nc\ud800") == r"a\x1b[2Jb\nc\ud800"
    assert printable("a\nb", lines=True) == "a\nb"
