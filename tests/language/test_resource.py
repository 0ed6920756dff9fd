import pytest

from asl_engine.errors import InvalidExpression
from asl_engine.language.definition import IntegrationPattern, ResourceType
from asl_engine.language.resource import parse_resource


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:lambda:eu-west-1:111122223333:function:ship",
        "arn:aws:lambda:eu-west-1:111122223333:function:ship:live",
        "arn:aws-cn:lambda:cn-north-1:111122223333:function:ship:$LATEST",
        "arn:aws:lambda:::function:ship",
        "arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:${Ship}",
    ],
)
def test_a_function_is_named_by_its_arn_in_any_partition(arn: str) -> None:
    resource = parse_resource(arn)

    assert (resource.type, resource.arn, resource.service) == (ResourceType.LAMBDA_FUNCTION, arn, "")


def test_an_activity_is_named_by_its_arn() -> None:
    assert parse_resource("arn:aws:states:eu-west-1:111122223333:activity:pack").type is ResourceType.ACTIVITY


@pytest.mark.parametrize(
    ("arn", "service", "action", "pattern"),
    [
        ("arn:aws:states:::sns:publish", "sns", "publish", IntegrationPattern.REQUEST_RESPONSE),
        ("arn:aws:states:::ecs:runTask.sync", "ecs", "runTask", IntegrationPattern.SYNC),
        ("arn:aws:states:::states:startExecution.sync:2", "states", "startExecution", IntegrationPattern.SYNC_2),
        ("arn:aws:states:::aws-sdk:s3:getObject", "aws-sdk:s3", "getObject", IntegrationPattern.REQUEST_RESPONSE),
        (
            "arn:aws:states:::aws-sdk:sfn:startExecution.waitForTaskToken",
            "aws-sdk:sfn",
            "startExecution",
            IntegrationPattern.WAIT_FOR_TASK_TOKEN,
        ),
        (
            "arn:aws-us-gov:states:us-gov-west-1:111122223333:lambda:invoke",
            "lambda",
            "invoke",
            IntegrationPattern.REQUEST_RESPONSE,
        ),
    ],
)
def test_a_service_is_named_by_action_and_pattern(
    arn: str, service: str, action: str, pattern: IntegrationPattern
) -> None:
    resource = parse_resource(arn)

    assert resource.type is ResourceType.SERVICE
    assert (resource.service, resource.action, resource.pattern) == (service, action, pattern)


def test_a_placeholder_is_taken_for_the_function_that_it_will_name() -> None:
    assert parse_resource("${ShipFunctionArn}").type is ResourceType.LAMBDA_FUNCTION


def test_a_placeholder_may_stand_for_a_part_of_the_service() -> None:
    resource = parse_resource("arn:aws:states:::${Service}:invoke.waitForTaskToken")

    assert resource.pattern is IntegrationPattern.WAIT_FOR_TASK_TOKEN


@pytest.mark.parametrize(
    ("arn", "advice"),
    [
        ("ship", "write the ARN"),
        ("${Ship", "write the ARN"),
        ("arn:aws:s3:::bucket", "write the ARN"),
        ("arn:aws:states:::sqs:sendMesage", 'did you mean "sendMessage"?'),
        ("arn:aws:states:::lamda:invoke", 'did you mean "lambda"?'),
        ("arn:aws:states:::dynamodb:scan", "use aws-sdk:dynamodb:scan"),
        ("arn:aws:states:::sns:publish.sync", "supports .waitForTaskToken"),
        ("arn:aws:states:::http:invoke.sync", "supports no suffix"),
        ("arn:aws:states:::ecs:runTask.wait", "only one of .sync, .sync:2, .waitForTaskToken"),
        ("arn:aws:states:::aws-sdk:ecs:runTask.sync", "AWS SDK integrations have no .sync"),
        ("arn:aws:states:::aws-sdk:s3", "write arn:aws:states:::aws-sdk:s3:action"),
        ("arn:aws:states:eu-west-1:111122223333:stateMachine:pack", "states:startExecution.sync:2"),
        ("arn:aws:states:::aws-sdk:s3:GetObject", "camel case: getObject"),
    ],
)
def test_an_unknown_resource_is_refused_with_what_to_write(arn: str, advice: str) -> None:
    with pytest.raises(InvalidExpression) as caught:
        parse_resource(arn)

    assert advice in caught.value.reason
