"""What is done with the engine, whichever tool deploys it: deploy, use, kill, deploy again, destroy."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from tests.e2e.account import check_empty, granted
from tests.e2e.emulators import Cloud, kill_function, wait_until
from tests.e2e.gate import Gate
from tests.e2e.jobs import HeldJobs, run_jobs
from tests.e2e.pipeline import PipelineRun


class Deployment(Protocol):
    """The engine with the tests' definitions, in one tool's terms. Its methods raise what the tool said."""

    tool: str

    def create(self) -> None:
        """Deploy for the first time."""

    def state_machine_arn(self, name: str) -> str:
        """The alias of a definition that was deployed."""

    def check_unchanged(self) -> None:
        """Deploy the same again, which must find nothing to do."""

    def destroy(self) -> None:
        """Delete all of it."""


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is done, and how long it took."""
    print(f"{what} …", flush=True)
    begun = time.monotonic()
    yield
    print(f"  ok, {time.monotonic() - begun:.0f} s", flush=True)


def run_leg(deployment: Deployment, cloud: Cloud, gate: Gate, jobs: HeldJobs) -> dict[str, set[str]]:
    """Returns what each role of the engine was allowed."""
    with step(f"{deployment.tool} deploys"):
        deployment.create()
    pipeline_arn = deployment.state_machine_arn("ml-training")
    gate.passed.clear()
    with step("the ML training pipeline, started through the API; the engine is killed while it deploys the model"):
        killed = PipelineRun(cloud, pipeline_arn)
        _kill_while_it_deploys(killed, cloud, gate)
    with step("the same pipeline meanwhile"):
        other = PipelineRun(cloud, pipeline_arn)
        other.approve()
        other.finish()
    with step("jobs of Batch and SageMaker, whose ends EventBridge tells"):
        run_jobs(cloud, deployment.state_machine_arn("batch-and-sagemaker"), jobs)
    with step(f"{deployment.tool} finds nothing to do"):
        deployment.check_unchanged()
    with step("what the killed engine was at is delivered again"):
        killed.finish()
        assert gate.passed["deploy-model"] == 3, f"the model was deployed by {gate.passed['deploy-model']} calls"
    found = granted(cloud)
    with step(f"{deployment.tool} destroys, and nothing of the engine is left"):
        deployment.destroy()
        check_empty(cloud)
    return found


def _kill_while_it_deploys(pipeline: PipelineRun, cloud: Cloud, gate: Gate) -> None:
    """Kill the engine when it is known to work: it has called a function, and waits for the answer."""
    with gate.holding("deploy-model") as is_called:
        pipeline.approve()
        wait_until(is_called.is_set, "the model is deployed")
        print(f"  killed: {kill_function(cloud, 'asl-engine-engine')}")
