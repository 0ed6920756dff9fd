"""The table, the bucket and the secrets."""

from __future__ import annotations

import string

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from asl_engine_cdk.settings import Settings

_NO_HEXADECIMAL_DIGITS = "".join(sorted(set(string.ascii_letters + string.punctuation) - set("abcdef")))


class Storage(Construct):
    """What an execution leaves behind, and what signs its links."""

    def __init__(self, scope: Construct, settings: Settings, key: kms.IKey | None) -> None:
        super().__init__(scope, "Storage")
        self._settings, self._key = settings, key
        self._removal = RemovalPolicy.RETAIN if settings.deletion_protection else RemovalPolicy.DESTROY
        self.table = self._table()
        self.bucket = self._bucket()
        self.signing_secret = self._signing_secret()
        self.slack_secret = (
            self._secret_to_fill("Slack", "slack", "Slack's credentials: bot_token, signing_secret, webhook_url")
            if settings.slack
            else None
        )
        self.webhooks_secret = (
            self._secret_to_fill(
                "Webhooks", "webhooks", "Webhooks that approvals are announced to: name to url and secret"
            )
            if settings.webhooks
            else None
        )

    def _table(self) -> dynamodb.Table:
        encryption = dynamodb.TableEncryption
        table = dynamodb.Table(
            self,
            "Executions",
            table_name=self._settings.name,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            partition_key=_text("pk"),
            sort_key=_text("sk"),
            time_to_live_attribute="expires_at",
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            encryption=encryption.AWS_MANAGED if self._key is None else encryption.CUSTOMER_MANAGED,
            encryption_key=self._key,
            deletion_protection=self._settings.deletion_protection,
            removal_policy=self._removal,
        )
        for number, index in enumerate(("by_state_machine", "by_status"), start=1):
            table.add_global_secondary_index(
                index_name=index,
                partition_key=_text(f"gsi{number}pk"),
                sort_key=_text(f"gsi{number}sk"),
                projection_type=dynamodb.ProjectionType.KEYS_ONLY,
            )
        return table

    def _bucket(self) -> s3.Bucket:
        uploads = s3.LifecycleRule(id="unfinished-uploads", abort_incomplete_multipart_upload_after=Duration.days(1))
        emptied = self._settings.bucket_force_destroy
        return s3.Bucket(
            self,
            "Payloads",
            bucket_name=f"{self._settings.name}-payloads-{Aws.ACCOUNT_ID}-{Aws.REGION}",
            encryption=s3.BucketEncryption.S3_MANAGED if self._key is None else s3.BucketEncryption.KMS,
            encryption_key=self._key,
            bucket_key_enabled=None if self._key is None else True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            lifecycle_rules=[uploads],
            removal_policy=RemovalPolicy.DESTROY if emptied else self._removal,
            auto_delete_objects=emptied,
        )

    def _signing_secret(self) -> secretsmanager.Secret:
        """32 random bytes in hexadecimal, made by Secrets Manager: the key is in no template."""
        return secretsmanager.Secret(
            self,
            "SigningKeys",
            secret_name=f"{self._settings.name}/signing-keys",
            description="Keys that sign approval links and task tokens: "
            "key id to hexadecimal key; the first signs, all verify",
            encryption_key=self._key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template="{}",  # noqa: S106 - the JSON object that the key is put into
                generate_string_key="k1",
                password_length=64,
                exclude_characters=_NO_HEXADECIMAL_DIGITS,
                exclude_punctuation=True,
                exclude_uppercase=True,
                include_space=False,
                require_each_included_type=False,
            ),
            removal_policy=self._removal,
        )

    def _secret_to_fill(self, id_: str, name: str, description: str) -> secretsmanager.CfnSecret:
        """Without a value: that is put by hand."""
        secret = secretsmanager.CfnSecret(
            self,
            id_,
            name=f"{self._settings.name}/{name}",
            description=description,
            kms_key_id=self._settings.kms_key_arn,
        )
        secret.apply_removal_policy(self._removal)
        return secret


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
