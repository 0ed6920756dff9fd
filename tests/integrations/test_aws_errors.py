"""What services refuse, under the names of Step Functions."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.model import ServiceModel

from asl_engine.integrations.aws_errors import SdkNames


@pytest.mark.parametrize(
    ("service", "operation", "code", "name"),
    [
        ("s3", "GetObject", "NoSuchKey", "S3.NoSuchKeyException"),
        ("s3", "GetObject", "NoSuchBucket", "S3.NoSuchBucketException"),  # the model has it for ListObjects alone
        ("s3", "GetObject", "AccessDenied", "S3.S3Exception"),
        ("dynamodb", "GetItem", "ResourceNotFoundException", "DynamoDb.ResourceNotFoundException"),
        ("dynamodb", "GetItem", "ValidationException", "DynamoDb.DynamoDbException"),
    ],
)
def test_what_s3_does_not_have_is_known_whichever_operation_asked_for_it(
    service: str, operation: str, code: str, name: str
) -> None:
    model = ServiceModel(Loader().load_service_model(service, "service-2"), service)
    answer = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 404}}
    assert SdkNames().failure(ClientError(answer, operation), model).error == name
