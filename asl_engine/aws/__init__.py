"""The engine on AWS: its functions, and the ports of the queued host on SQS, EventBridge Scheduler and DynamoDB."""
