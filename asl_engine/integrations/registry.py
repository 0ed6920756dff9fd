"""Everything that a Task can reach at AWS, as the two ports that a host needs: `tasks` to perform, `jobs` to follow."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass

from asl_engine.errors import AslError
from asl_engine.integrations import sagemaker
from asl_engine.integrations.athena import AthenaQueries
from asl_engine.integrations.aws_calls import AwsCalls
from asl_engine.integrations.aws_jobs import AwsJobs
from asl_engine.integrations.aws_session import AwsClients, configured_endpoints
from asl_engine.integrations.batch import BatchJobs
from asl_engine.integrations.lambda_function import LambdaFunctions
from asl_engine.runtime.jobs import JobLinks
from asl_engine.runtime.performer_chain import PerformerChain


@dataclass(frozen=True, slots=True, kw_only=True)
class Integrations:
    """The performers that share some clients. Closing either of them closes the clients of both."""

    tasks: PerformerChain
    jobs: AwsJobs


def integrations(
    environ: Mapping[str, str] = os.environ, *, clients: AwsClients | None = None, links: JobLinks | None = None
) -> Integrations | None:
    """The integrations of an environment; None if it names no endpoint and has no credentials. Raises AslError.

    `links` is where a host that events reach keeps which job belongs to which attempt.
    """
    if importlib.util.find_spec("aiobotocore") is None:
        if configured_endpoints(environ):
            raise AslError('calling AWS services needs the AWS SDK: pip install "asl-engine[aws]"')
        return None
    clients = clients if clients is not None else AwsClients(environ=environ)
    if not clients.reaches_any:
        return None
    jobs = AwsJobs(clients, (BatchJobs(), *sagemaker.JOBS, AthenaQueries()), links)
    return Integrations(tasks=PerformerChain((LambdaFunctions(clients), AwsCalls(clients, jobs))), jobs=jobs)
