"""AslEngine: everything that the Terraform module makes, as one construct."""

from __future__ import annotations

import json
from pathlib import Path

from aws_cdk import Aws, CfnOutput, Fn, Tags
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from asl_engine.deploy.packaging import PLATFORM_FILE_NAME
from asl_engine_cdk.apis import Apis
from asl_engine_cdk.events import Events
from asl_engine_cdk.functions import SHAPES, EngineFunction, function_arn, function_name
from asl_engine_cdk.monitoring import Monitoring
from asl_engine_cdk.queues import Queues
from asl_engine_cdk.settings import Settings
from asl_engine_cdk.storage import Storage

_BATCH_SIZE = 10


class AslEngine(Construct):
    """A deployed engine. `functions` holds its functions by their part: engine, api, notifier…"""

    def __init__(self, scope: Construct, id_: str, settings: Settings) -> None:
        super().__init__(scope, id_)
        self.settings = settings
        _check_platform(settings)
        self._key = kms.Key.from_key_arn(self, "Key", settings.kms_key_arn) if settings.kms_key_arn else None
        self.storage = Storage(self, settings, self._key)
        self.queues = Queues(self, settings, self._key)
        self.monitoring = Monitoring(self, settings)
        self._apis = Apis(self, settings)
        self.step_functions_endpoint = self._apis.step_functions.attr_api_endpoint
        self.approvals_url = f"{self._apis.approvals.attr_api_endpoint}/approvals"
        self.functions = {function: self._function(function) for function in SHAPES}
        self.event_source = self._consume()
        code = {name: each.function for name, each in self.functions.items()}
        self._apis.connect(api=code["api"], approvals=code["approvals"])
        Events(
            self,
            settings,
            job_events=code["job_events"],
            sweeper=code["sweeper"],
            notifier=code["notifier"],
            failed_events=self.queues.failed_events,
        )
        self._tell()
        for name, value in settings.tags.items():
            Tags.of(self).add(name, value)

    def _consume(self) -> lambda_.CfnEventSourceMapping:
        mapping = lambda_.CfnEventSourceMapping(
            self,
            "Inbox",
            event_source_arn=self.queues.events.queue_arn,
            function_name=self.functions["engine"].function.function_arn,
            batch_size=_BATCH_SIZE,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(
                maximum_concurrency=self.settings.engine_maximum_concurrency
            ),
        )
        mapping.node.add_dependency(self.functions["engine"].role)
        return mapping

    def _function(self, function: str) -> EngineFunction:
        api = {"ASL_API_FUNCTION": function_name(self.settings, "api")}
        environment = api if function == "definitions" else self._environment()
        return EngineFunction(
            self,
            function,
            self.settings,
            grants=self._grants(),
            environment={**environment, **self.settings.endpoints},
            key=self._key,
        )

    def _environment(self) -> dict[str, str]:
        settings, storage, queues = self.settings, self.storage, self.queues
        environment = {
            "ASL_ACCOUNT_ID": Aws.ACCOUNT_ID,
            "ASL_ALERTS_TOPIC_ARN": self.monitoring.alerts.ref,
            "ASL_APPROVALS_URL": self.approvals_url,
            "ASL_BUCKET": storage.bucket.bucket_name,
            "ASL_DEAD_LETTERS_ARN": queues.dead_letters.queue_arn,
            "ASL_DEAD_LETTERS_URL": queues.dead_letters.queue_url,
            "ASL_DEFAULT_TASK_TIMEOUT_SECONDS": str(settings.default_task_timeout_seconds),
            "ASL_EXPIRE_DAYS": str(settings.expire_days) if settings.expire_days > 0 else "",
            "ASL_LOG_PAYLOADS": str(settings.log_payloads).lower(),
            "ASL_METRICS_NAMESPACE": settings.metrics_namespace,
            "ASL_QUEUE_ARN": queues.events.queue_arn,
            "ASL_QUEUE_MESSAGE_BYTES_MAX": str(settings.queue_message_bytes_max),
            "ASL_QUEUE_URL": queues.events.queue_url,
            "ASL_SCHEDULER_GROUP": Fn.ref(queues.timers.logical_id),
            "ASL_SCHEDULER_ROLE_ARN": queues.scheduler_role.role_arn,
            "ASL_SIGNING_SECRET_ARN": storage.signing_secret.secret_arn,
            "ASL_STEP_FUNCTIONS_ENDPOINT": self._apis.step_functions.attr_api_endpoint,
            "ASL_STORE": f"dynamodb:{storage.table.table_name}?bucket={storage.bucket.bucket_name}",
            "ASL_TABLE": storage.table.table_name,
        }
        if settings.mail_from is not None:
            environment["ASL_MAIL_FROM"] = settings.mail_from
        if storage.slack_secret is not None:
            environment["ASL_SLACK_SECRET_ARN"] = storage.slack_secret.ref
        if storage.webhooks_secret is not None:
            environment["ASL_WEBHOOKS_SECRET_ARN"] = storage.webhooks_secret.ref
        return environment

    def _grants(self) -> dict[str, str]:
        settings, place = self.settings, f"{Aws.REGION}:{Aws.ACCOUNT_ID}"
        identity = settings.mail_identity or settings.mail_from or ""
        slack, webhooks = self.storage.slack_secret, self.storage.webhooks_secret
        return {
            "alerts_topic_arn": self.monitoring.alerts.ref,
            "api_function_arn": function_arn(settings, "api"),
            "bucket_arn": self.storage.bucket.bucket_arn,
            "dead_letters_queue_arn": self.queues.dead_letters.queue_arn,
            "failed_events_queue_arn": self.queues.failed_events.queue_arn,
            "kms_key_arn": settings.kms_key_arn or "",
            "mail_from": settings.mail_from or "",
            "mail_identity_arn": f"arn:{Aws.PARTITION}:ses:{place}:identity/{identity}",
            "queue_arn": self.queues.events.queue_arn,
            "schedule_arn": f"arn:{Aws.PARTITION}:scheduler:{place}:schedule/{settings.name}/*",
            "scheduler_role_arn": self.queues.scheduler_role.role_arn,
            "signing_secret_arn": self.storage.signing_secret.secret_arn,
            "slack_secret_arn": slack.ref if slack is not None else "",
            "step_functions_api_arn": f"arn:{Aws.PARTITION}:execute-api:{place}:{self._apis.step_functions.ref}",
            "table_arn": self.storage.table.table_arn,
            "webhooks_secret_arn": webhooks.ref if webhooks is not None else "",
        }

    def _tell(self) -> None:
        outputs = {
            "StepFunctionsEndpoint": self.step_functions_endpoint,
            "ApprovalsUrl": self.approvals_url,
            "SlackInteractivityUrl": f"{self.approvals_url}/slack",
            "NotifierFunctionArn": self.functions["notifier"].function.function_arn,
            "AlertsTopicArn": self.monitoring.alerts.ref,
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)


def _check_platform(settings: Settings) -> None:
    """Raises ValueError: functions that cannot run what was built."""
    note = Path(settings.packages_directory, PLATFORM_FILE_NAME)
    built_for = json.loads(note.read_text(encoding="utf-8")) if note.is_file() else None
    wanted = {"architecture": settings.architecture, "runtime": settings.runtime}
    if built_for != wanted:
        raise ValueError(
            f"the archives in {settings.packages_directory} are for {built_for}, and the functions for {wanted}: "
            "run `asl package` for the same architecture and Python"
        )
