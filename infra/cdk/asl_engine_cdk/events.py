"""What starts functions from outside the queue: ends of jobs, the sweep, and answers of approvals that are due."""

from __future__ import annotations

import json
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from asl_engine_cdk.settings import Settings

_SWEEP_MINUTES = 5
_DELIVER_MINUTES = 1
_MAXIMUM_EVENT_AGE_SECONDS = 21_600
_RETRIES = 2
_PATTERNS: Final = {
    "athena": events.EventPattern(
        source=["aws.athena"],
        detail_type=["Athena Query State Change"],
        detail={"currentState": ["SUCCEEDED", "FAILED", "CANCELLED"]},
    ),
    "batch": events.EventPattern(
        source=["aws.batch"], detail_type=["Batch Job State Change"], detail={"status": ["SUCCEEDED", "FAILED"]}
    ),
    "sagemaker": events.EventPattern(
        source=["aws.sagemaker"],
        detail_type=[
            "SageMaker HyperParameter Tuning Job State Change",
            "SageMaker Processing Job State Change",
            "SageMaker Training Job State Change",
            "SageMaker Transform Job State Change",
        ],
    ),
}


class Events(Construct):
    """EventBridge rules and their targets. CfnRule: the L2 targets would add permissions of their own."""

    def __init__(
        self,
        scope: Construct,
        settings: Settings,
        *,
        job_events: lambda_.Function,
        sweeper: lambda_.Function,
        notifier: lambda_.Function,
        failed_events: sqs.Queue,
    ) -> None:
        super().__init__(scope, "Events")
        rules = {
            name: self._job_rule(settings, name, pattern, job_events, failed_events)
            for name, pattern in _PATTERNS.items()
        }
        failed_events.add_to_resource_policy(_may_keep(failed_events, rules))
        lambda_.CfnEventInvokeConfig(
            self,
            "FailedInvocations",
            function_name=job_events.function_name,
            qualifier="$LATEST",
            maximum_event_age_in_seconds=_MAXIMUM_EVENT_AGE_SECONDS,
            maximum_retry_attempts=_RETRIES,
            destination_config={"onFailure": {"destination": failed_events.queue_arn}},
        )
        sweep = self._schedule(
            settings, "Sweep", _SWEEP_MINUTES, "Looks for executions that nothing would move on", sweeper
        )
        _target(sweep, {"arn": sweeper.function_arn, "id": "sweeper"})
        deliver = self._schedule(
            settings, "Deliver", _DELIVER_MINUTES, "Sends the answers of approvals that are due", notifier
        )
        due = json.dumps({"action": "deliver"})
        _target(deliver, {"arn": notifier.function_arn, "id": "notifier", "input": due})

    def _schedule(
        self, settings: Settings, name: str, minutes: int, description: str, function: lambda_.Function
    ) -> events.Rule:
        rule = events.Rule(
            self,
            name,
            rule_name=f"{settings.name}-{name.lower()}",
            description=description,
            schedule=events.Schedule.rate(Duration.minutes(minutes)),
        )
        _may_invoke(function, f"InvokedBy{name}", rule.rule_arn)
        return rule

    def _job_rule(
        self, settings: Settings, name: str, pattern: events.EventPattern, function: lambda_.Function, failed: sqs.Queue
    ) -> events.Rule:
        rule = events.Rule(
            self,
            f"{name.title()}Jobs",
            rule_name=f"{settings.name}-{name}-jobs",
            description=f"Ends of {name} jobs",
            event_pattern=pattern,
        )
        _target(rule, {"arn": function.function_arn, "id": "job-events", "deadLetterConfig": {"arn": failed.queue_arn}})
        _may_invoke(function, f"InvokedBy{name.title()}Jobs", rule.rule_arn)
        return rule


def _target(rule: events.Rule, target: dict[str, object]) -> None:
    resource: events.CfnRule = rule.node.default_child  # type: ignore[assignment]
    resource.add_property_override("Targets", [_capitalised(target)])


def _capitalised(value: dict[str, object]) -> dict[str, object]:
    return {
        name[0].upper() + name[1:]: _capitalised(inner) if isinstance(inner, dict) else inner
        for name, inner in value.items()
    }


def _may_invoke(function: lambda_.Function, id_: str, rule_arn: str) -> None:
    function.add_permission(id_, principal=iam.ServicePrincipal("events.amazonaws.com"), source_arn=rule_arn)


def _may_keep(queue: sqs.Queue, rules: dict[str, events.Rule]) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid="KeepUndeliveredEvents",
        principals=[iam.ServicePrincipal("events.amazonaws.com")],
        actions=["sqs:SendMessage"],
        resources=[queue.queue_arn],
        conditions={"ArnEquals": {"aws:SourceArn": [rule.rule_arn for rule in rules.values()]}},
    )
