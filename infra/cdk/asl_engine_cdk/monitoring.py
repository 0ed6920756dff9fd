"""Alarms, the topic they go to, and the dashboard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from string import Template

from aws_cdk import Aws
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from asl_engine_cdk.functions import SHAPES, function_name
from asl_engine_cdk.policies import SHARED
from asl_engine_cdk.settings import Settings

_PERIOD_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class _Alarm:
    name: str
    description: str
    namespace: str
    metric: str
    statistic: str = "Sum"
    dimensions: Mapping[str, str] = field(default_factory=dict)
    threshold: int = 0
    periods: int = 1
    comparison: str = "GreaterThanThreshold"
    missing: str = "notBreaching"


class Monitoring(Construct):
    """The topic exists before the functions, which raise alerts themselves."""

    def __init__(self, scope: Construct, settings: Settings) -> None:
        super().__init__(scope, "Monitoring")
        self.alerts = sns.CfnTopic(self, "Alerts", topic_name=f"{settings.name}-alerts")
        if settings.alerts_email is not None:
            sns.CfnSubscription(
                self, "AlertsEmail", topic_arn=self.alerts.ref, protocol="email", endpoint=settings.alerts_email
            )
        for alarm in _alarms(settings):
            self._add(settings, alarm)
        cloudwatch.CfnDashboard(
            self,
            "Dashboard",
            dashboard_name=settings.name,
            dashboard_body=Template((SHARED / "dashboard.json").read_text(encoding="utf-8")).substitute(
                name=settings.name, region=Aws.REGION, metrics_namespace=settings.metrics_namespace
            ),
        )

    def _add(self, settings: Settings, alarm: _Alarm) -> None:
        dimensions = cloudwatch.CfnAlarm.DimensionProperty
        cloudwatch.CfnAlarm(
            self,
            "".join(word.title() for word in alarm.name.split("-")),
            alarm_name=f"{settings.name}-{alarm.name}",
            alarm_description=alarm.description,
            namespace=alarm.namespace,
            metric_name=alarm.metric,
            dimensions=[dimensions(name=name, value=value) for name, value in alarm.dimensions.items()],
            statistic=alarm.statistic,
            period=_PERIOD_SECONDS,
            evaluation_periods=alarm.periods,
            comparison_operator=alarm.comparison,
            threshold=alarm.threshold,
            treat_missing_data=alarm.missing,
            alarm_actions=[self.alerts.ref],
        )


def _alarms(settings: Settings) -> Iterator[_Alarm]:
    yield from _queue_alarms(settings)
    yield from _engine_alarms(settings)
    yield from _rescue_alarms(settings)
    for function in SHAPES:
        name, prefix = function_name(settings, function), function.replace("_", "-")
        yield _function_alarm(f"{prefix}-errors", f"Invocations of {name} ended in an error", "Errors", name)
        if function in {"engine", "job_events", "sweeper"}:
            what = f"Lambda dropped invocations of {name} as a recursive loop"
            yield _function_alarm(f"{prefix}-recursion", what, "RecursiveInvocationsDropped", name)


def _queue_alarms(settings: Settings) -> Iterator[_Alarm]:
    for kind in ("events", "job-events"):
        queue = f"{settings.name}-{kind}-dlq"
        yield _Alarm(
            name=f"{kind}-dead-letters",
            description=f"Messages that could not be handled wait in {queue}",
            namespace="AWS/SQS",
            metric="ApproximateNumberOfMessagesVisible",
            statistic="Maximum",
            dimensions={"QueueName": queue},
        )
    yield _Alarm(
        name="queue-age",
        description="The engine does not keep up: its oldest event waits for more than 5 minutes",
        namespace="AWS/SQS",
        metric="ApproximateAgeOfOldestMessage",
        statistic="Maximum",
        dimensions={"QueueName": f"{settings.name}-events"},
        threshold=300,
    )


def _engine_alarms(settings: Settings) -> Iterator[_Alarm]:
    findings = "The sweeper moved an execution on that nothing else would have: a defect, or a lost event"
    unknown = "A message named an execution that does not exist, and was dropped: its journal was deleted, or restored"
    for name, description, metric in (
        ("executions-failed", "Executions failed", "ExecutionsFailed"),
        ("executions-timed-out", "Executions timed out", "ExecutionsTimedOut"),
        (
            "poison-messages",
            "A message could not be handled: its execution was failed, or the message set aside",
            "PoisonMessages",
        ),
        ("unstopped-jobs", "A job runs on although its result no longer counts", "UnstoppedJobs"),
        ("unknown-executions", unknown, "UnknownExecutions"),
        ("sweeper-findings", findings, "SweeperFindings"),
    ):
        yield _Alarm(name=name, description=description, namespace=settings.metrics_namespace, metric=metric)


def _rescue_alarms(settings: Settings) -> Iterator[_Alarm]:
    """What brings an execution back that nothing in the queue would move on."""
    yield _Alarm(
        name="timer-errors",
        description="Scheduler could not send a timer to the queue: its role, or the queue's key, refuses it",
        namespace="AWS/Scheduler",
        metric="TargetErrorCount",
        dimensions={"ScheduleGroup": settings.name},
    )
    yield _Alarm(
        name="sweeper-stopped",
        description="The sweeper has not run for 15 minutes: what is lost stays lost",
        namespace="AWS/Lambda",
        metric="Invocations",
        dimensions={"FunctionName": function_name(settings, "sweeper")},
        threshold=1,
        periods=3,
        comparison="LessThanThreshold",
        missing="breaching",
    )


def _function_alarm(name: str, description: str, metric: str, function: str) -> _Alarm:
    return _Alarm(
        name=name,
        description=description,
        namespace="AWS/Lambda",
        metric=metric,
        dimensions={"FunctionName": function},
    )
