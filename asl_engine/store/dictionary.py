"""What records have in common, so that the small ones among them compress: zlib refers to it instead of repeating it.

A body names the dictionary it was written with by number. One that bodies were written with never changes; a better one
gets the next number. What most records have stands at the end, where references are shortest.
"""

from __future__ import annotations

from typing import Final

NEWEST: Final = 1

_RARE_EVENTS: Final = (
    '"ActivityScheduled","ActivityStarted","ActivitySucceeded","ActivityFailed","ActivityTimedOut",'
    '"ChoiceStateEntered","ChoiceStateExited","PassStateEntered","PassStateExited","SucceedStateEntered",'
    '"FailStateEntered","WaitStateEntered","WaitStateExited","ParallelStateEntered","ParallelStateStarted",'
    '"ParallelStateSucceeded","ParallelStateExited","MapStateEntered","MapStateStarted",{"length":'
    '"MapIterationStarted","MapIterationSucceeded",{"name":"","index":"MapStateSucceeded","MapStateExited",'
    '"ExecutionSucceeded","ExecutionFailed","ExecutionTimedOut","ExecutionAborted","TaskSubmitted","TaskTimedOut",'
    '"TaskFailed","LambdaFunctionFailed","EvaluationFailed",{"error":"States.TaskFailed","cause":"States.Timeout'
    '"timeoutInSeconds":"heartbeatInSeconds":"assignedVariables":{"stop-requested","fail-requested","timer-fired",'
    '"task-submitted","task-failed","task-heartbeat","activity-started","execution-timer-fired","cancel-task",'
    '"start-timer","start-execution-timer","timer-wait","retry-wait","children-wait",["continue"]'
    '"resourceType":"sqs","resource":"sendMessage.waitForTaskToken","resourceType":"sns","resource":"publish",'
    '"resourceType":"dynamodb","resource":"putItem","resourceType":"batch","resource":"submitJob.sync",'
    '"resourceType":"sagemaker","resource":"createTrainingJob.sync","resourceType":"states",'
    '"resource":"startExecution.sync:2","TableName":"QueueUrl":"MessageBody":"TopicArn":"Message":'
)
_LAMBDA_ANSWER: Final = (
    '{"ExecutedVersion":"$LATEST","Payload":{},"SdkHttpMetadata":{"AllHttpHeaders":{"Connection":["keep-alive"],'
    '"Content-Length":["901"],"Content-Type":["application/json"],"Date":["Wed, 25 Nov 2026 03:21:52 GMT"],'
    '"X-Amz-Executed-Version":["$LATEST"],"x-amzn-Remapped-Content-Length":["0"],"x-amzn-RequestId":["'
    '"X-Amzn-Trace-Id":["Root=1-;Parent=;Sampled=0;Lineage=1:"]},"HttpHeaders":{"Connection":"keep-alive",'
    '"Content-Length":"901","Content-Type":"application/json","Date":"Wed, 25 Nov 2026 03:21:52 GMT",'
    '"X-Amz-Executed-Version":"$LATEST","x-amzn-Remapped-Content-Length":"0","x-amzn-RequestId":"'
    '"X-Amzn-Trace-Id":"Root=1-"},"HttpStatusCode":200},"SdkResponseMetadata":{"RequestId":""},"StatusCode":200}'
)
_KEYFRAME: Final = (
    '[[[1,0,"ExecutionStarted",17955769{"input":[0],"roleArn":"arn:aws:iam::"}],true,[],[],{"name":"",'
    '"state_machine_arn":"arn:aws:states:us-east-1:","definition_sha256":"","input":[0],"started_at":17955769,'
    '"seed":"","role_arn":"arn:aws:iam::","state_machine_version_arn":null,"state_machine_alias_arn":null,'
    '"revision":null,"status":"RUNNING","output":null,"error":null,"cause":null,"stopped_at":null,'
    '"timeout_at":null,"aws_limits":true,"last_event_id":4,"redrive_count":0,"ready":[],"ignored_events":0,'
    '"timer_at":null},{"0":{"branch":"","state":"","input":[0],"parent":null,"index":0,"phase":"WAITING",'
    '"previous_event_id":4,"entered_event_id":2,"entered_at":17955769,"variables":{},"retries":[],"wait":["w",0],'
    '"items":null,"map_run":null,"items_input":null,"item":[],"output":null}},'
)
_END: Final = '],{"status":"SUCCEEDED","output":[1],"stopped_at":17955769,"last_event_id":32},{"0":null},[],[],[]]'
_TASK: Final = (
    '[[[15,14,"LambdaFunctionSucceeded",17955769{"output":[0]}],'
    '[15,14,"TaskSucceeded",17955769{"resourceType":"lambda","resource":"invoke","output":[0]}],'
    '[16,15,"TaskStateExited",17955769{"name":"","output":[1]}],'
    '[17,16,"TaskStateEntered",17955769{"name":"","input":[1]}],'
    '[18,17,"LambdaFunctionScheduled",17955769{"resource":"arn:aws:lambda:us-east-1:function:","input":[0]}],'
    '[19,18,"LambdaFunctionStarted",17955769,null]],'
    '[18,17,"TaskScheduled",17955769{"resourceType":"lambda","resource":"invoke","region":"us-east-1",'
    '"parameters":[2]}],[19,18,"TaskStarted",17955769{"resourceType":"lambda","resource":"invoke"}]],'
    '[{"FunctionName":"arn:aws:lambda:us-east-1:function:","Payload":{"'
    '",3,17955769,false,[],[["task-succeeded","0",13,[0]]],{"last_event_id":19},{"0":{"state":"","input":[1],'
    '"previous_event_id":19,"entered_event_id":17,"entered_at":17955769,"wait":["w",0]}},'
    '[["schedule-task","0",["w",0]]],'
    '[["task-attempt",18,"","arn:aws:states:::lambda:invoke",[0],0,null,null,null,null,null,false,""]],[]]'
)
_DICTIONARIES: Final = {1: f"{_RARE_EVENTS}{_LAMBDA_ANSWER}{_KEYFRAME}{_END}{_TASK}".encode()}


def dictionary(number: int, execution_arn: str) -> bytes:
    """The dictionary of this number for one execution, whose ARN is part of it. Raises KeyError."""
    return _DICTIONARIES[number] + execution_arn.encode("utf-8", "surrogatepass")
