"""Every exception of the engine, split by whose mistake it is.

AslError
├── InvalidJson               a text that is no JSON, or a value that has no JSON text
├── InvalidDefinition         the author's mistake: carries all diagnostics of a definition
├── InvalidExpression         the author's mistake: a path, intrinsic or JSONata text that does not compile
├── EvaluationError           an expression could not be evaluated: becomes a States.* error of its state
│   └── PathNotFound          a path that reached nothing
├── EvaluationNotQuick        an evaluation that was to be quick and was not: begin it again aside
├── RequestError              the caller's mistake, named as the Step Functions API names it
│   ├── ActivityAlreadyExists
│   ├── ActivityDoesNotExist
│   ├── ConflictException
│   ├── InvalidArn
│   ├── InvalidEncryptionConfiguration
│   ├── InvalidLoggingConfiguration
│   ├── InvalidStateMachineDefinition
│   ├── MissingRequiredParameter
│   ├── NotImplementedOperation
│   ├── ResourceNotFound
│   ├── SerializationException
│   ├── StateMachineAlreadyExists
│   ├── StateMachineDeleting
│   ├── StateMachineDoesNotExist
│   ├── StateMachineTypeNotSupported
│   ├── TooManyTags
│   ├── UnknownOperationException
│   ├── ValidationException
│   ├── ExecutionDoesNotExist
│   ├── ExecutionAlreadyExists
│   ├── InvalidToken
│   ├── TaskDoesNotExist
│   ├── TaskTimedOut
│   ├── InvalidName
│   ├── InvalidExecutionInput
│   └── InvalidOutput
├── ExecutionIsAhead          virtual time has carried an execution to where the real clock has not come yet
├── TasksFileError            a tasks or mocks file that cannot be used
├── TaskError                 raised by a task's own code to fail with an error name and cause of its choice
├── ApprovalError             an approval that cannot be asked for or answered
│   ├── InvalidApprovalRequest  the author's mistake: the notifier's payload asks for what cannot be
│   ├── InvalidLink           a link or nonce that none of our keys signed
│   └── NotificationFailed    somebody could not be told through any channel
├── Conflict                  another writer was first: load again and retry
├── QueueUnavailable          a message may or may not have been taken: send it again
├── ForeignMessage            a text from the queue that this engine did not write
└── StoreError                the store cannot be used
    ├── StoreUnavailable      locked, full disk, out of reach: try again after mending it
    ├── StoreRefused          what was asked is refused, however often: a body too large, a right that is missing
    ├── StoreCorrupt          not a database, or records that do not fold
    └── ExecutionClaimed      another live process is running this execution

An error inside a running workflow that Retry and Catch consume is a value (`interpreter.failure.StatesError`), not an
exception. Anything else that escapes is a defect of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar, Protocol


class AslError(Exception):
    """Root of all errors that a caller of the engine may see."""


class InvalidJson(AslError):
    """A text that is no JSON, or a value that has no JSON text. `line` and `column` count from 1."""

    def __init__(self, reason: str, *, line: int | None = None, column: int | None = None) -> None:
        self.reason, self.line, self.column = reason, line, column
        super().__init__(reason)

    def __str__(self) -> str:
        place = f" at line {self.line}, column {self.column}" if self.line is not None else ""
        return f"invalid JSON{place}: {self.reason}"


class DiagnosticLike(Protocol):
    """What InvalidDefinition needs of `language.diagnostics.Diagnostic`."""

    def __str__(self) -> str: ...


class InvalidDefinition(AslError):
    """A definition that cannot run. `diagnostics` holds every problem that was found, errors and warnings."""

    def __init__(self, diagnostics: Sequence[DiagnosticLike]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(str(diagnostic) for diagnostic in self.diagnostics))


class InvalidExpression(AslError):
    """A path, intrinsic call or JSONata text that does not compile. `position` counts characters from 0."""

    def __init__(self, text: str, reason: str, *, position: int | None = None) -> None:
        self.text, self.reason, self.position = text, reason, position
        super().__init__(reason)

    def __str__(self) -> str:
        if self.position is None:
            return f"{self.reason}: {self.text}"
        return f"{self.reason}\n  {self.text}\n  {' ' * self.position}^"


class EvaluationError(AslError):
    """An expression failed on the data it met.

    `error` is the States.* error name that AWS gives it. `cause` is AWS's text without the opening sentence
    ("An error occurred while executing the state …"), which the interpreter adds because it alone knows the state.
    `location` is the field as AWS spells it in EvaluationFailed events ("Output/total"), where it has one.
    """

    def __init__(self, error: str, cause: str, *, location: str | None = None) -> None:
        self.error, self.cause, self.location = error, cause, location
        super().__init__(f"{error}: {cause}")


class PathNotFound(EvaluationError):
    """A path that reached nothing. `detail` is Jayway's text: `No results for path: $['a']`."""

    def __init__(self, path: str, detail: str) -> None:
        self.path, self.detail = path, detail
        super().__init__("States.Runtime", f"Invalid path '{path}' : {detail}")


class EvaluationNotQuick(AslError):
    """An evaluation took longer than the host wants to wait for it: what asked for it is begun again aside."""


class RequestError(AslError):
    """A request that cannot be met. `code` is the error code of the Step Functions API."""

    code: ClassVar[str]

    def __init_subclass__(cls, *, code: str = "") -> None:
        cls.code = code or cls.__name__


class ActivityAlreadyExists(RequestError):
    """An activity of this name is there, and is encrypted otherwise."""


class ActivityDoesNotExist(RequestError):
    """No activity has this ARN."""


class ConflictException(RequestError):
    """It would contradict what is there: another revision, an alias that needs the version."""


class InvalidArn(RequestError):
    """The text is no ARN, or names another kind of thing."""


class InvalidEncryptionConfiguration(RequestError):
    """The encryption configuration contradicts itself."""


class InvalidLoggingConfiguration(RequestError):
    """The logging configuration lacks a destination, or has too many."""


class InvalidStateMachineDefinition(RequestError, code="InvalidDefinition"):
    """The definition given to an operation cannot run."""


class MissingRequiredParameter(RequestError):
    """None of the parameters was given of which one is needed."""


class NotImplementedOperation(RequestError, code="NotImplemented"):
    """An operation of the API that this engine does not have yet."""


class ResourceNotFound(RequestError):
    """Nothing has this ARN."""


class SerializationException(RequestError):
    """The request's body is no JSON, or has members of other types than the API's model says."""


class StateMachineAlreadyExists(RequestError):
    """The name is taken by a state machine with another definition, type or configuration."""


class StateMachineDeleting(RequestError):
    """The state machine is being deleted: it ends with its last execution."""


class StateMachineDoesNotExist(RequestError):
    """No state machine, version or alias has this ARN."""


class StateMachineTypeNotSupported(RequestError):
    """Only the other type of state machine can do this."""


class TooManyTags(RequestError):
    """A resource has at most 50 tags."""


class UnknownOperationException(RequestError):
    """The API has no such operation."""


class ValidationException(RequestError):
    """A member of the request breaks a constraint of the API's model."""


class ExecutionDoesNotExist(RequestError):
    """No execution has this ARN or name."""


class ExecutionAlreadyExists(RequestError):
    """The name is taken by an execution with another input, or by one that is closed."""


class InvalidToken(RequestError):
    """The task token was not issued by this engine."""


class TaskDoesNotExist(RequestError):
    """The token's execution is unknown to this store."""


class TaskTimedOut(RequestError):
    """The token's attempt is over: answered, timed out, or its execution has ended."""


class InvalidName(RequestError):
    """The name has characters or a length that AWS does not accept."""


class InvalidExecutionInput(RequestError):
    """The input is no JSON, or too large."""


class InvalidOutput(RequestError):
    """The output given to SendTaskSuccess is no JSON."""


class ExecutionIsAhead(AslError):
    """Virtual time has carried an execution to a moment, epoch milliseconds, that the real clock has yet to reach."""

    def __init__(self, at: int) -> None:
        super().__init__(
            f"the execution has come to {datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC under virtual "
            "time: on the real clock it would wait until then"
        )


class TasksFileError(AslError):
    """A tasks or mocks file that cannot be used: the message says which file, where, and what to do."""


class TaskError(AslError):
    """Raise it in a task to fail with any error name, one with dots included, and exactly this cause."""

    def __init__(self, error: str, cause: str = "") -> None:
        self.error, self.cause = error, cause
        super().__init__(f"{error}: {cause}" if cause else error)


class ApprovalError(AslError):
    """An approval that cannot be asked for or answered."""


class InvalidApprovalRequest(ApprovalError):
    """The payload of a notifier: the message lists every problem with its place."""


class InvalidLink(ApprovalError):
    """A link or nonce that none of our keys signed, or not in this form."""


class NotificationFailed(ApprovalError):
    """Somebody could not be told through any channel. Asking again tells only those who were not told."""


class Conflict(AslError):
    """Another writer appended this sequence number first; nothing was written."""


class QueueUnavailable(AslError):
    """The queue did not answer that it took a message; it may have taken it all the same."""


class ForeignMessage(AslError):
    """A text from the queue that is no message of this engine, or of a newer one."""


class StoreError(AslError):
    """The store cannot be used."""


class StoreUnavailable(StoreError):
    """The store did not take the write, or could not be read, for a reason outside of it: nothing was lost."""


class StoreRefused(StoreError):
    """The store refuses what it was asked, and will again: nothing was written."""


class StoreCorrupt(StoreError):
    """The file is no store of ours, or holds what cannot be read back."""


class ExecutionClaimed(StoreError):
    """Another live process is running this execution."""
