"""The inbox, its dead letters, events that could not be delivered, and long timers."""

from __future__ import annotations

from aws_cdk import Aws, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from asl_engine_cdk.policies import policy
from asl_engine_cdk.settings import Settings

_RETENTION_DAYS = 14
_RECEIVES_MAX = 20


class Queues(Construct):
    """Everything that happens to an execution comes in through `events`."""

    def __init__(self, scope: Construct, settings: Settings, key: kms.IKey | None) -> None:
        super().__init__(scope, "Queues")
        self._settings, self._key = settings, key
        self.dead_letters = self._queue("DeadLetters", "events-dlq")
        self.failed_events = self._queue("FailedEvents", "job-events-dlq")
        self.events = self._queue(
            "Events",
            "events",
            dead_letters=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=_RECEIVES_MAX),
        )
        allowed: sqs.CfnQueue = self.dead_letters.node.default_child  # type: ignore[assignment]
        name = f"{settings.name}-events"  # a reference to the queue would be a circle
        allowed.redrive_allow_policy = {
            "redrivePermission": "byQueue",
            "sourceQueueArns": [f"arn:{Aws.PARTITION}:sqs:{Aws.REGION}:{Aws.ACCOUNT_ID}:{name}"],
        }
        self.scheduler_role = iam.Role(
            self,
            "SchedulerRole",
            role_name=f"{settings.name}-scheduler",
            description="Lets EventBridge Scheduler send timers to the engine's queue",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
            ),
            inline_policies=self._scheduler_policies(),
        )
        self.timers = scheduler.CfnScheduleGroup(self, "Timers", name=settings.name)

    def _scheduler_policies(self) -> dict[str, iam.PolicyDocument]:
        grants = {"queue_arn": self.events.queue_arn, "dead_letters_queue_arn": self.dead_letters.queue_arn}
        policies = {"own": policy("scheduler", grants)}
        if self._settings.kms_key_arn is not None:  # the queue is encrypted, so whoever sends to it needs the key
            policies["encryption"] = policy("optional/encryption", {"kms_key_arn": self._settings.kms_key_arn})
        return policies

    def _queue(self, id_: str, name: str, *, dead_letters: sqs.DeadLetterQueue | None = None) -> sqs.Queue:
        # Lambda accepts no less than the function's timeout; a runner sets a minute.
        visibility = Duration.seconds(self._settings.engine_timeout_seconds) if dead_letters else None
        queue = sqs.Queue(
            self,
            id_,
            queue_name=f"{self._settings.name}-{name}",
            visibility_timeout=visibility,
            retention_period=Duration.days(_RETENTION_DAYS),
            encryption=sqs.QueueEncryption.SQS_MANAGED if self._key is None else sqs.QueueEncryption.KMS,
            encryption_master_key=self._key,
            dead_letter_queue=dead_letters,
        )
        resource: sqs.CfnQueue = queue.node.default_child  # type: ignore[assignment]
        resource.maximum_message_size = self._settings.queue_message_bytes_max
        return queue
