"""AWS services of one's own on loopback, for what emulators cannot be made to do: refuse, time out, stay in a state."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.integrations.lambda_service import Invocation, Reply, lambda_service

Request = dict[str, Any]
Operation = Callable[[Request], Request]


class Refused(Exception):
    """What a service answers to a request that it does not take."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something goes wrong with the next request for an operation: `before` the service acts, or after it did."""

    operation: str
    error: Refused | bytes | None  # bytes: another body comes; None: the connection breaks
    before: bool = True


@dataclass(slots=True)
class FakeService:
    """Answers operations by their API names, lower-cased, and keeps what was asked."""

    operations: dict[str, Operation]
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, Request]] = field(default_factory=list)
    url: str = ""

    def asked(self, operation: str) -> list[Request]:
        """The requests for one operation."""
        return [request for name, request in self.requests if name == operation]

    def answer(self, invocation: Invocation) -> Reply:
        """Answer as the service would, or as the next fault says."""
        target = invocation.headers.get("X-Amz-Target", invocation.path)
        name = target.replace("/", ".").rpartition(".")[2].lower()
        request = json.loads(invocation.body or b"{}")
        self.requests.append((name, request))
        fault = next((fault for fault in self.faults if fault.operation == name), None)
        if fault is not None:
            self.faults.remove(fault)
        try:
            if fault is not None and fault.before:
                return _failing(fault)
            answer = self.operations[name](request)
        except Refused as refused:
            return _refusal(refused)
        return _failing(fault) if fault is not None else Reply(body=json.dumps(answer).encode(), headers={})


@contextmanager
def serving(service: FakeService) -> Iterator[FakeService]:
    """Serve until the block ends."""
    with lambda_service(service.answer) as server:
        service.url = server.url
        yield service


def _failing(fault: Fault) -> Reply:
    if isinstance(fault.error, bytes):
        return Reply(body=fault.error, headers={})
    return _refusal(fault.error) if fault.error is not None else Reply(promised_bytes=1_000, headers={})


def _refusal(refused: Refused) -> Reply:
    body = json.dumps({"__type": refused.code, "message": refused.message}).encode()
    return Reply(status=refused.status, body=body, headers={"x-amzn-ErrorType": refused.code})


def batch_service() -> FakeService:
    """AWS Batch, whose jobs stay as they are until a test changes `job_of(service)`."""
    jobs: dict[str, Request] = {}

    def submit(request: Request) -> Request:
        job_id = f"job-{len(jobs) + 1}"
        arn = f"arn:aws:batch:eu-west-1:123456789012:job/{job_id}"
        named = {"jobName": request["jobName"], "jobId": job_id, "jobArn": arn}
        jobs[job_id] = {**request, **named, "status": "RUNNABLE", "createdAt": 1_700_000_000_000, "startedAt": 0}
        return named

    def list_(request: Request) -> Request:
        name = request["filters"][0]["values"][0].lower()
        found = [job for job in jobs.values() if job["jobName"].lower() == name]
        first = int(request.get("nextToken") or 0)
        page = {"jobSummaryList": found[first : first + 2]}
        return page if first + 2 >= len(found) else {**page, "nextToken": str(first + 2)}

    def terminate(request: Request) -> Request:
        jobs[request["jobId"]] |= {"isTerminated": True, "statusReason": request["reason"]}
        return {}

    return FakeService(
        {
            "submitjob": submit,
            "listjobs": list_,
            "describejobs": lambda request: {"jobs": [jobs[job] for job in request["jobs"] if job in jobs]},
            "terminatejob": terminate,
            "jobs": lambda _request: jobs,
        }
    )


def sagemaker_service(noun: str) -> FakeService:
    """Amazon SageMaker for one kind of job, model or endpoint."""
    created: dict[str, Request] = {}

    def create(request: Request) -> Request:
        name = request[f"{noun}Name"]
        if name in created:
            raise Refused(400, "ResourceInUse", f"Job name must be unique within an AWS account: {name}")
        arn = f"arn:aws:sagemaker:eu-west-1:123456789012:{noun.lower()}/{name.lower()}"
        created[name] = {**request, f"{noun}Arn": arn, f"{noun}Status": "InProgress", "CreationTime": 1_700_000_000.5}
        return {f"{noun}Arn": arn}

    def describe(request: Request) -> Request:
        if request[f"{noun}Name"] not in created:
            raise Refused(400, "ValidationException", "Requested resource not found.")
        return {name: value for name, value in created[request[f"{noun}Name"]].items() if name != "Tags"}

    def tags(request: Request) -> Request:
        return {"Tags": next(each["Tags"] for each in created.values() if each[f"{noun}Arn"] == request["ResourceArn"])}

    def stop(request: Request) -> Request:
        created[request[f"{noun}Name"]][f"{noun}Status"] = "Stopping"
        return {}

    kind = noun.lower()
    return FakeService(
        {
            f"create{kind}": create,
            f"describe{kind}": describe,
            f"stop{kind}": stop,
            "listtags": tags,
            "jobs": lambda _request: created,
        }
    )


def jobs_of(service: FakeService) -> dict[str, Request]:
    """The service's jobs by id or name, to be changed by the test."""
    return service.operations["jobs"]({})
