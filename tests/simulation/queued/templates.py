"""The small machines of the in-process form, and what only a host without a memory finds hard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from asl_engine.interpreter.options import Options
from asl_engine.json_value import JsonObject
from asl_engine.language.parser import compile_definition
from asl_engine.runtime.tasks import TaskCall
from asl_engine.testing.simulation.behaviour import Answer, Behaviour, HashedAnswers
from asl_engine.testing.simulation.simulation import Subject
from tests.simulation import template_machines as machines

_PATIENT: Final[JsonObject] = {"TimeoutSeconds": 20, "HeartbeatSeconds": 7}


@dataclass(frozen=True, slots=True)
class Template:
    """A machine, and when somebody asks to stop it. A task whose state is called Hangs… is never answered."""

    definition: JsonObject
    stopped_after: int | None = None

    @property
    def subject(self) -> Subject:
        """What to simulate. Records are short, so that there are many."""
        return Subject(
            machine=compile_definition(self.definition),
            input={"order": 7},
            behaviour=_Answers(),
            comparable=True,
            options=Options(advance_history_events_max=4),
            stopped_after=self.stopped_after,
        )


class _Answers:
    _hashed: Behaviour = HashedAnswers("templates", may_hang=False)

    def answer(self, call: TaskCall) -> Answer:
        """What comes of this attempt."""
        answer = self._hashed.answer(call)
        return Answer(None, answer.after) if call.attempt.state_name.startswith("Hangs") else answer


def _task(resource: str, **fields: object) -> JsonObject:
    return machines.task(resource, **fields)  # type: ignore[arg-type]


TEMPLATES: Final[dict[str, Template]] = {
    **{name: Template(definition) for name, definition in machines.TEMPLATES.items()},
    "a callback that never comes": Template(
        machines.machine(
            Hangs=_task(machines.CALLBACK, **_PATIENT, **machines.catching("Then")),
            Then=_task(machines.FUNCTION, **machines.retrying()),
        )
    ),
    "a job that never ends": Template(
        machines.machine(
            Hangs=_task(machines.JOB, TimeoutSeconds=100, **machines.catching("Then")),
            Then={"Type": "Pass"},
        )
    ),
    "a time-out around time-outs": Template(
        {
            **machines.machine(
                Both=machines.parallel(
                    machines.machine(Hangs=_task(machines.JOB, TimeoutSeconds=40, **machines.retrying())),
                    machines.machine(HangsToo=_task(machines.CALLBACK)),
                )
            ),
            "TimeoutSeconds": 60,
        }
    ),
    "a stop while it runs": Template(
        machines.machine(
            Both=machines.parallel(
                machines.machine(Hangs=_task(machines.JOB)),
                machines.machine(Hold={"Type": "Wait", "Seconds": 1_000}),
            )
        ),
        stopped_after=5_000,
    ),
    "a map with items that fail": Template(
        machines.machine(
            Each={
                **machines.map_(
                    machines.machine(
                        Item=_task(machines.FUNCTION),
                        Odd={
                            "Type": "Choice",
                            "Choices": [{"Condition": "{% $states.input.value > 4 %}", "Next": "Fails"}],
                            "Default": "Done",
                        },
                        Fails={"Type": "Fail", "Error": "Odd"},
                        Done={"Type": "Succeed"},
                    ),
                    4,
                    2,
                ),
                "ToleratedFailurePercentage": 100,
            }
        )
    ),
}
