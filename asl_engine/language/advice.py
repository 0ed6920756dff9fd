"""Warnings: what AWS accepts and what bites later.

Advice reads the definition as it was written, right or wrong, so a half-finished file is advised too. It never decides
whether a machine runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from asl_engine.errors import InvalidExpression
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.definition import ResourceType, StateType
from asl_engine.language.diagnostics import DiagnosticCode, Location, Problems, did_you_mean
from asl_engine.language.expression_advice import advice_on_call, advice_on_jsonata, advice_on_path, assigned_variables
from asl_engine.language.place import shown
from asl_engine.language.resource import PLACEHOLDER, parse_resource

# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
_STATES_ERRORS: Final = frozenset(
    {
        "States.ALL",
        "States.BranchFailed",
        "States.DataLimitExceeded",
        "States.ExceedToleratedFailureThreshold",
        "States.HeartbeatTimeout",
        "States.Http.Socket",
        "States.IntrinsicFailure",
        "States.ItemReaderFailed",
        "States.NoChoiceMatched",
        "States.ParameterPathFailure",
        "States.Permissions",
        "States.QueryEvaluationError",
        "States.ResultPathMatchFailure",
        "States.ResultWriterFailed",
        "States.Runtime",
        "States.TaskFailed",
        "States.Timeout",
    }
)


# Of a service and an action, as they stand in a Resource: what is wrong with them, and what to write.
SdkProblem: TypeAlias = "Callable[[str, str], tuple[str, str] | None]"


class _Advisor:
    """One walk through a definition. `raised` are the errors that its Fail states raise, `assigned` its variables."""

    def __init__(
        self, problems: Problems, raised: frozenset[str], assigned: frozenset[str], sdk_problem: SdkProblem | None
    ) -> None:
        self._problems = problems
        self.raised, self.assigned, self.sdk_problem = raised, assigned, sdk_problem

    def warn(self, location: Location, message: str, code: DiagnosticCode, hint: str) -> None:
        self._problems.warning(location, message, code=code, hint=hint)


def advise(definition: JsonValue, problems: Problems, sdk_problem: SdkProblem | None = None) -> None:
    """Add warnings about a definition to its problems. `sdk_problem` knows what the AWS SDK has."""
    if not isinstance(definition, dict):
        return
    states = list(_states(definition, ()))
    raised = frozenset(error for state, _ in states if isinstance(error := state.get("Error"), str))
    advisor = _Advisor(problems, raised, assigned_variables(definition), sdk_problem)
    _advise_placeholders(definition, advisor)
    for state, location in states:
        kind = state.get("Type")
        for advice in _BY_TYPE.get(kind, ()) if isinstance(kind, str) else ():
            advice(state, location, advisor)
        _advise_rules(state, location, advisor)
        in_jsonpath = state.get("QueryLanguage", definition.get("QueryLanguage", "JSONPath")) == "JSONPath"
        if in_jsonpath:
            _advise_jsonata(state, location, advisor)
            _advise_template(state, location, advisor)
        else:
            _advise_jsonpath(state, location, advisor)
        _advise_names(state, location, advisor, in_jsonpath=in_jsonpath)


def _advise_names(state: JsonObject, location: Location, advisor: _Advisor, *, in_jsonpath: bool) -> None:
    own = {name: value for name, value in state.items() if name not in _BRANCHES}
    for text, inner in _strings(own, ()):
        key = inner[-1] if isinstance(inner[-1], str) else ""
        in_jsonata = advice_on_jsonata(text, advisor.assigned)
        for message, hint in advice_on_path(key, text, advisor.assigned) if in_jsonpath else in_jsonata:
            advisor.warn((*location, *inner), message, DiagnosticCode.UNKNOWN_NAME, hint)
        if in_jsonpath and text.startswith("States.") and key.endswith((".$", "Path")):
            for message, hint in advice_on_call(text):
                advisor.warn((*location, *inner), message, DiagnosticCode.INVALID_EXPRESSION, hint)


def _advise_jsonata(state: JsonObject, location: Location, advisor: _Advisor) -> None:
    own = {name: value for name, value in state.items() if name not in _BRANCHES}
    for text, inner in _strings(own, ()):
        if text.startswith("{%") and text.endswith("%}"):
            advisor.warn(
                (*location, *inner),
                "this looks like JSONata, but the state's QueryLanguage is 'JSONPath'",
                DiagnosticCode.WRONG_QUERY_LANGUAGE,
                'set "QueryLanguage": "JSONata" for the state or the machine',
            )


def _advise_jsonpath(state: JsonObject, location: Location, advisor: _Advisor) -> None:
    for field in ("Arguments", "Output", "Assign", "ItemSelector"):
        for text, inner in _strings(state.get(field), ()):
            if _looks_like_call(text) or (inner and str(inner[-1]).endswith(".$")):
                advisor.warn(
                    (*location, field, *inner),
                    "this looks like JSONPath, but the state's QueryLanguage is 'JSONata'",
                    DiagnosticCode.WRONG_QUERY_LANGUAGE,
                    "as it stands this is the text itself; write {% $states.input… %} to have it evaluated",
                )


def _states(branch: JsonValue, location: Location) -> Iterator[tuple[JsonObject, Location]]:
    states = branch.get("States") if isinstance(branch, dict) else None
    if not isinstance(states, dict):
        return
    for name, state in states.items():
        if not isinstance(state, dict):
            continue
        here: Location = (*location, "States", name)
        yield state, here
        branches = state.get("Branches")
        for index, inner in enumerate(branches if isinstance(branches, list) else ()):
            yield from _states(inner, (*here, "Branches", index))
        for field in ("ItemProcessor", "Iterator"):
            yield from _states(state.get(field), (*here, field))


def _advise_placeholders(definition: JsonObject, advisor: _Advisor) -> None:
    for text, location in _strings(definition, ()):
        if "${" in text and (placeholder := PLACEHOLDER.search(text)):
            advisor.warn(
                location,
                f"the placeholder {placeholder[0]} is not filled in",
                DiagnosticCode.UNRESOLVED_PLACEHOLDER,
                "CloudFormation, SAM or Terraform fills it in at deployment; until then it is plain text",
            )


def _strings(value: JsonValue, location: Location) -> Iterator[tuple[str, Location]]:
    pending: list[tuple[JsonValue, Location]] = [(value, location)]
    while pending:
        node, here = pending.pop()
        if isinstance(node, str):
            yield node, here
        elif isinstance(node, dict):
            pending += ((child, (*here, key)) for key, child in node.items() if key != "Comment")
        elif isinstance(node, list):
            pending += ((child, (*here, index)) for index, child in enumerate(node))


def _advise_timeout(state: JsonObject, location: Location, advisor: _Advisor) -> None:
    if not _BOUNDS.isdisjoint(state):
        return
    if str(state.get("Resource")).endswith(".waitForTaskToken"):
        advisor.warn(
            location,
            "a lost callback would leave this task waiting for a year",
            DiagnosticCode.CALLBACK_WITHOUT_TIMEOUT,
            "set TimeoutSeconds to the longest that an answer may take, or HeartbeatSeconds",
        )
    else:
        advisor.warn(
            location,
            "without TimeoutSeconds this task may take for ever; a deployed engine ends it after its "
            "default_task_timeout_seconds, a day unless it is set",
            DiagnosticCode.TASK_WITHOUT_TIMEOUT,
            "set TimeoutSeconds to the longest that the task may take",
        )


def _advise_arns(state: JsonObject, location: Location, advisor: _Advisor) -> None:
    """ARNs that AWS takes with the definition, and that nothing can have: it was seen to accept even ACCOUNT_ID."""
    resource, credentials = state.get("Resource"), state.get("Credentials")
    if isinstance(resource, str) and (kind := _arn_kind(resource)):
        _advise_arn(resource, kind, (*location, "Resource"), advisor)
    if isinstance(resource, str) and ":lambda:invoke" in resource:
        for field in ("Parameters", "Arguments"):
            arguments = state.get(field)
            name = arguments.get("FunctionName") if isinstance(arguments, dict) else None
            if isinstance(name, str) and name.startswith("arn:"):
                _advise_arn(name, _FUNCTION, (*location, field, "FunctionName"), advisor)
    if isinstance(credentials, dict) and "RoleArn" in credentials:
        _advise_arn(credentials["RoleArn"], _ROLE, (*location, "Credentials", "RoleArn"), advisor)


def _arn_kind(resource: str) -> _ArnKind | None:
    """What a Resource is an ARN of, if it is right in its form: what is wrong there is an error already."""
    try:
        kind = parse_resource(resource).type
    except InvalidExpression:
        return None
    return {ResourceType.LAMBDA_FUNCTION: _FUNCTION, ResourceType.ACTIVITY: _ACTIVITY}.get(kind)


def _advise_arn(value: JsonValue, kind: _ArnKind, location: Location, advisor: _Advisor) -> None:
    pattern, title, form = kind
    if isinstance(value, str) and ("${" in value or value.startswith("{%") or pattern.fullmatch(value)):
        return
    advisor.warn(
        location,
        f"{shown(value)} is no ARN of {title}",
        DiagnosticCode.MALFORMED_ARN,
        f"write {form}, where ACCOUNT has 12 digits",
    )


def _advise_sdk(state: JsonObject, location: Location, advisor: _Advisor) -> None:
    resource = state.get("Resource")
    call = _SDK_CALL.fullmatch(resource) if isinstance(resource, str) else None
    problem = advisor.sdk_problem(call[1], call[2]) if call and advisor.sdk_problem else None
    if problem:
        message, hint = problem
        advisor.warn((*location, "Resource"), message, DiagnosticCode.UNKNOWN_RESOURCE, hint)


def _advise_token(state: JsonObject, location: Location, advisor: _Advisor) -> None:
    resource = state.get("Resource")
    if not isinstance(resource, str) or not resource.endswith(".waitForTaskToken"):
        return
    for field in ("Parameters", "Arguments"):
        if field in state and not any(_TOKEN in text for text, _ in _strings(state[field], ())):
            advisor.warn(
                (*location, field),
                "the task token is not handed out, so nobody can answer",
                DiagnosticCode.CALLBACK_WITHOUT_TOKEN,
                'pass "$$.Task.Token" on ("$states.context.Task.Token" in JSONata)',
            )


def _advise_map(state: JsonObject, location: Location, advisor: _Advisor) -> None:
    if state.get("MaxConcurrency", 0) == 0 and "MaxConcurrencyPath" not in state:
        advisor.warn(
            location,
            "nothing bounds how many iterations run at once",
            DiagnosticCode.UNBOUNDED_MAP,
            "set MaxConcurrency to what the services behind it can take",
        )
    processor = state.get("ItemProcessor", state.get("Iterator"))
    config = processor.get("ProcessorConfig") if isinstance(processor, dict) else None
    if isinstance(config, dict) and config.get("Mode") == "DISTRIBUTED":
        return
    for field in ("ItemReader", "ItemBatcher", "ResultWriter"):
        if field in state:
            advisor.warn(
                (*location, field),
                f"{field} has no effect in an inline Map",
                DiagnosticCode.FIELD_HAS_NO_EFFECT,
                'set ItemProcessor.ProcessorConfig to {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}',
            )


def _advise_default(state: JsonObject, location: Location, advisor: _Advisor) -> None:
    if "Default" not in state:
        advisor.warn(
            location,
            "no rule may apply, and then the execution fails with States.NoChoiceMatched",
            DiagnosticCode.CHOICE_WITHOUT_DEFAULT,
            "add a Default",
        )


def _advise_result(state: JsonObject, location: Location, advisor: _Advisor) -> None:
    if "Result" in state and any(_looks_dynamic(text, here) for text, here in _strings_and_keys(state["Result"])):
        advisor.warn(
            (*location, "Result"),
            "Intrinsic Function or JSONPath in Pass Result field not used",
            DiagnosticCode.PASS_RESULT_IS_STATIC,
            "nothing in Result is evaluated: use Parameters",
        )


def _strings_and_keys(value: JsonValue) -> Iterator[tuple[str, str]]:
    for text, location in _strings(value, ()):
        key = location[-1] if location else ""
        yield text, key if isinstance(key, str) else ""


def _looks_dynamic(text: str, key: str) -> bool:
    return text.startswith(("$.", "$$.", "States.")) and (key.endswith(".$") or "(" in text or text.startswith("$"))


def _advise_template(state: JsonObject, location: Location, advisor: _Advisor) -> None:
    for field in ("Parameters", "ResultSelector", "ItemSelector", "Assign"):
        for text, inner in _strings(state.get(field), ()):
            key = inner[-1] if inner else ""
            if isinstance(key, str) and key and not key.endswith(".$") and _looks_like_call(text):
                advisor.warn(
                    (*location, field, *inner),
                    "No .$ on a field that appears to be a JSONPath or Intrinsic Function",
                    DiagnosticCode.NO_DOLLAR,
                    f'as it stands this is the text itself; write "{key}.$" to have it evaluated',
                )


def _looks_like_call(text: str) -> bool:
    return text.startswith(("$.", "$$.")) or (text.startswith("States.") and text.endswith(")"))


def _advise_rules(state: JsonObject, location: Location, advisor: _Advisor) -> None:
    retries, catches = _rules(state.get("Retry")), _rules(state.get("Catch"))
    for field, rules in (("Retry", retries), ("Catch", catches)):
        for index, names in rules:
            for position, name in enumerate(names):
                _advise_error_name(name, (*location, field, index, "ErrorEquals", position), field, advisor)
        _advise_covered(rules, (*location, field), state.get("Type") == StateType.TASK, advisor)
    if state.get("Type") == StateType.TASK:
        _advise_foreign(state, retries, (*location, "Retry"), advisor)
        _advise_foreign(state, catches, (*location, "Catch"), advisor)
    spared = False
    rules_of_retry = state.get("Retry")
    for index, names in retries:
        rule = rules_of_retry[index] if isinstance(rules_of_retry, list) else None
        spared = spared or (isinstance(rule, dict) and rule.get("MaxAttempts") == 0)
        if {"States.ALL", "States.TaskFailed"}.intersection(names) and not spared:
            advisor.warn(
                (*location, "Retry", index),
                "errors that no retry can cure are retried too",
                DiagnosticCode.BLIND_RETRY,
                'before it, give the permanent errors a rule with "MaxAttempts": 0, such as States.Permissions',
            )


def _advise_covered(rules: list[tuple[int, list[str]]], location: Location, is_task: bool, advisor: _Advisor) -> None:
    """The first rule that takes an error is the one that applies, even once its retries are spent."""
    earlier: set[str] = set()
    for index, names in rules:
        for position, name in enumerate(names):
            if (covering := _covering(name, earlier, is_task)) is not None:
                advisor.warn(
                    (*location, index, "ErrorEquals", position),
                    f"a rule before this one takes {name} already, by {covering}",
                    DiagnosticCode.ERROR_NEVER_MATCHES,
                    "only the first rule that takes an error applies: move this one before it, or remove it",
                )
        earlier.update(names)


def _covering(name: str, earlier: set[str], is_task: bool) -> str | None:
    if name in earlier:
        return name
    if name == "States.HeartbeatTimeout" and "States.Timeout" in earlier:
        return "States.Timeout"
    if is_task and not name.startswith("States.") and "States.TaskFailed" in earlier:
        return "States.TaskFailed"
    return None


def _advise_foreign(
    state: JsonObject, rules: list[tuple[int, list[str]]], location: Location, advisor: _Advisor
) -> None:
    """Errors that are named although a Task cannot have them. A Parallel or Map may: from a state inside."""
    never = {"States.NoChoiceMatched": "only a Choice has this error, and nothing catches it but a Parallel or Map"}
    if state.keys().isdisjoint(("HeartbeatSeconds", "HeartbeatSecondsPath")):
        never["States.HeartbeatTimeout"] = "set HeartbeatSeconds, or name States.Timeout"
    for index, names in rules:
        for position, name in enumerate(names):
            if name in never and name not in advisor.raised:
                advisor.warn(
                    (*location, index, "ErrorEquals", position),
                    f"this task never fails with {name}",
                    DiagnosticCode.ERROR_NEVER_MATCHES,
                    never[name],
                )


def _rules(value: JsonValue) -> list[tuple[int, list[str]]]:
    found = []
    for index, rule in enumerate(value if isinstance(value, list) else ()):
        names = rule.get("ErrorEquals") if isinstance(rule, dict) else None
        if isinstance(names, list):
            found.append((index, [name for name in names if isinstance(name, str)]))
    return found


def _advise_error_name(name: str, location: Location, field: str, advisor: _Advisor) -> None:
    if name == "States.Runtime":
        message = f"{field} never applies to States.Runtime"
        hint = "it comes from the definition or its data, and always fails the execution: mend those"
    elif name.strip().casefold().startswith("states.") and name not in _STATES_ERRORS | advisor.raised:
        message, hint = f"no error is named {name}", did_you_mean(name, _STATES_ERRORS)
    else:
        return
    advisor.warn(location, message, DiagnosticCode.ERROR_NEVER_MATCHES, hint)


_BOUNDS: Final = frozenset({"TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath"})
_BRANCHES: Final = frozenset({"Branches", "ItemProcessor", "Iterator", "Comment"})
_ArnKind = tuple[re.Pattern[str], str, str]
_SDK_CALL: Final = re.compile(r"arn:[^:]*:states:[^:]*:[^:]*:aws-sdk:([\w-]+):([a-z]\w*)(?:\.waitForTaskToken)?")
_FUNCTION: Final[_ArnKind] = (
    re.compile(r"arn:[\w-]+:lambda:[\w-]+:\d{12}:function:[\w-]+(:[\w$-]+)?"),
    "a Lambda function",
    "arn:aws:lambda:REGION:ACCOUNT:function:NAME",
)
_ACTIVITY: Final[_ArnKind] = (
    re.compile(r"arn:[\w-]+:states:[\w-]+:\d{12}:activity:\S+"),
    "an activity",
    "arn:aws:states:REGION:ACCOUNT:activity:NAME",
)
_ROLE: Final[_ArnKind] = (
    re.compile(r"arn:[\w-]+:iam::\d{12}:role/[\w+=,.@/-]+"),
    "an IAM role",
    "arn:aws:iam::ACCOUNT:role/NAME",
)
_TOKEN: Final = "Task.Token"  # noqa: S105 - a path, no password
_Advice = Callable[[JsonObject, Location, _Advisor], None]
_BY_TYPE: Final[dict[str, tuple[_Advice, ...]]] = {
    StateType.TASK: (_advise_timeout, _advise_arns, _advise_sdk, _advise_token),
    StateType.MAP: (_advise_map,),
    StateType.CHOICE: (_advise_default,),
    StateType.PASS: (_advise_result,),
}
