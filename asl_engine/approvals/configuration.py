"""What the two functions need, out of the environment; secrets out of Secrets Manager where an ARN is given.

ASL_STORE                          the store that holds approvals, as `--store` names it
ASL_SIGNING_SECRET_ARN             secret, {"ID": "HEX"} or `ID:HEX,ID:HEX`: the first key signs, all verify
ASL_SIGNING_KEYS                   the same text itself, where there is no secret
ASL_APPROVALS_URL                  where the pages are, as people reach them: https://…/approvals
ASL_STEP_FUNCTIONS_ENDPOINT        the API to answer; AWS Step Functions where it is not set
ASL_MAIL_FROM                      the sender that SES has verified; no email without it
ASL_SLACK_SECRET_ARN, ASL_SLACK    JSON with "bot_token" or "webhook_url", and "signing_secret" for buttons
ASL_WEBHOOKS_SECRET_ARN, ASL_WEBHOOKS  JSON: {"NAME": {"url": "https://…", "secret": "…"}}
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from asl_engine.approvals.answers import StepFunctionsAnswers
from asl_engine.approvals.aws_clients import aws_client
from asl_engine.approvals.desk import ApprovalDesk
from asl_engine.approvals.email_channel import EmailChannel
from asl_engine.approvals.links import Links
from asl_engine.approvals.notice import Channel
from asl_engine.approvals.notifier import Notifier
from asl_engine.approvals.pages import ApprovalPages
from asl_engine.approvals.signing import RotatedKeys, SigningKeys
from asl_engine.approvals.slack_channel import SlackChannel
from asl_engine.approvals.slack_interactions import SlackInteractions, SlackSecret
from asl_engine.approvals.webhook_channel import Webhook, WebhookChannel
from asl_engine.errors import ApprovalError
from asl_engine.store.opening import days_kept, open_store, resources_beside
from asl_engine.store.resources import ResourceStore

_log: Final = logging.getLogger(__name__)


def now() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Configuration:
    """The environment, read when it is needed.

    Raises ApprovalError that names what is missing, never what is secret.
    """

    environ: Mapping[str, str]

    def notifier(self, resources: ResourceStore | None = None) -> Notifier:
        """What the notifier function does."""
        return Notifier(self._desk(resources), self._links(), self._channels(), self._required("ASL_APPROVALS_URL"))

    def pages(self, resources: ResourceStore | None = None) -> ApprovalPages:
        """What the approvals function does."""
        desk, links = self._desk(resources), self._links()
        signing_secret = self._slack().get("signing_secret")
        if not signing_secret:
            return ApprovalPages(desk, links)
        return ApprovalPages(
            desk, links, SlackInteractions(desk, links, SlackSecret(signing_secret=signing_secret), now)
        )

    def _desk(self, resources: ResourceStore | None) -> ApprovalDesk:
        days: int | None = None
        if resources is None:
            store = open_store(self._required("ASL_STORE"))
            resources, days = resources_beside(store), days_kept(store)
        answers = StepFunctionsAnswers(
            endpoint_url=self.environ.get("ASL_STEP_FUNCTIONS_ENDPOINT") or None,
            region=self.environ.get("AWS_REGION"),  # of which botocore reads only AWS_DEFAULT_REGION
        )
        return ApprovalDesk(resources, answers, now, days)

    def _links(self) -> Links:
        return Links(RotatedKeys(self._signing_keys, now))

    def _signing_keys(self) -> SigningKeys:
        return SigningKeys.parse(self._secret("ASL_SIGNING_SECRET_ARN", "ASL_SIGNING_KEYS"))

    def _channels(self) -> Mapping[str, Channel]:
        channels: dict[str, Channel] = {}
        if sender := self.environ.get("ASL_MAIL_FROM"):
            channels["email"] = EmailChannel(sender)
        slack = self._slack()
        if slack.get("bot_token") or slack.get("webhook_url"):
            channels["slack"] = SlackChannel(
                bot_token=slack.get("bot_token", ""), webhook_url=slack.get("webhook_url", "")
            )
        webhooks = self._json("ASL_WEBHOOKS_SECRET_ARN", "ASL_WEBHOOKS")
        if webhooks:
            channels["webhook"] = WebhookChannel({name: _webhook(name, each) for name, each in webhooks.items()}, now)
        return channels

    def _slack(self) -> Mapping[str, str]:
        return self._json("ASL_SLACK_SECRET_ARN", "ASL_SLACK")

    def _required(self, name: str) -> str:
        value = self.environ.get(name)
        if not value:
            raise ApprovalError(f"{name} is not set: see docs/approvals.md")
        return value

    def _secret(self, arn_name: str, name: str) -> str:
        arn = self.environ.get(arn_name)
        if not arn:
            return self._required(name)
        client = aws_client("secretsmanager")
        try:
            return str(client.get_secret_value(SecretId=arn)["SecretString"])
        except client.exceptions.ResourceNotFoundException:
            _log.warning("the secret of %s has no value yet", arn_name)
            return ""
        finally:
            client.close()

    def _json(self, arn_name: str, name: str) -> dict[str, Any]:
        if not self.environ.get(arn_name) and not self.environ.get(name):
            return {}
        text = self._secret(arn_name, name)
        try:
            value = json.loads(text) if text else {}
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise ApprovalError(f"{name} (or the secret of {arn_name}) must be a JSON object")
        return value


def _webhook(name: str, value: object) -> Webhook:
    if not isinstance(value, dict) or not all(isinstance(value.get(each), str) for each in ("url", "secret")):
        raise ApprovalError(f'the webhook {name} must have "url" and "secret", both texts')
    return Webhook(url=value["url"], secret=value["secret"].encode())
