output "step_functions_endpoint" {
  description = "Where the Step Functions API is served; requests are signed for the service execute-api."
  value       = aws_apigatewayv2_api.step_functions.api_endpoint
}

output "approvals_url" {
  description = "Approval links begin with this."
  value       = local.approvals_url
}

output "slack_interactivity_url" {
  description = "The request URL to give to Slack, under Interactivity."
  value       = "${local.approvals_url}/slack"
}

output "state_machine_arns" {
  description = "The alias of each deployed definition, by the state machine's name."
  value       = { for name, deployed in aws_lambda_invocation.definition : name => jsondecode(deployed.result).aliasArn }
}

output "notifier_function_arn" {
  description = "FunctionName for tasks that ask people: lambda:invoke.waitForTaskToken."
  value       = aws_lambda_function.this["notifier"].arn
}

output "table_name" {
  description = "The journal."
  value       = aws_dynamodb_table.executions.name
}

output "bucket_name" {
  description = "Payloads that do not fit an item of the table."
  value       = aws_s3_bucket.payloads.id
}

output "queue_url" {
  description = "The engine's inbox."
  value       = aws_sqs_queue.events.url
}

output "function_names" {
  description = "Function names by their part in the engine."
  value       = local.function_names
}

output "log_group_names" {
  description = "Log groups by function."
  value       = { for function, group in aws_cloudwatch_log_group.function : function => group.name }
}

output "engine_role_name" {
  description = "Role that performs tasks, for policies beyond what `asl permissions` grants."
  value       = aws_iam_role.function["engine"].name
}

output "alerts_topic_arn" {
  description = "Alarms are published here."
  value       = aws_sns_topic.alerts.arn
}

output "signing_secret_arn" {
  description = "Secret that signs approval links."
  value       = aws_secretsmanager_secret.signing.arn
}

output "slack_secret_arn" {
  description = "Secret to put Slack's credentials into; null without slack = true."
  value       = one(aws_secretsmanager_secret.slack[*].arn)
}

output "webhooks_secret_arn" {
  description = "Secret to put the webhooks' addresses into; null without webhooks = true."
  value       = one(aws_secretsmanager_secret.webhooks[*].arn)
}
