data "aws_caller_identity" "current" {}
data "aws_region" "current" {}
data "aws_partition" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id
  region     = data.aws_region.current.name
  partition  = data.aws_partition.current.partition
  policies   = "${path.module}/policies"

  # Slack waits 3 seconds for an answer, a cold start included: `approvals` gets the processor that comes with memory.
  functions = {
    api         = { memory = 512, timeout = 30, description = "Answers the Step Functions API" }
    approvals   = { memory = 1024, timeout = 30, description = "Shows approval pages and takes decisions" }
    definitions = { memory = 256, timeout = 120, description = "Publishes definitions when the deployment changes" }
    engine      = { memory = 512, timeout = var.engine_timeout_seconds, description = "Advances executions and performs their tasks" }
    job_events  = { memory = 256, timeout = 60, description = "Turns events of Athena, Batch and SageMaker into events of executions" }
    notifier    = { memory = 256, timeout = 60, description = "Asks people for approval" }
    sweeper     = { memory = 512, timeout = 300, description = "Finds executions that nothing would move on" }
  }

  function_names = { for function in keys(local.functions) : function => "${var.name}-${replace(function, "_", "-")}" }
  function_arns = {
    for function, name in local.function_names :
    function => "arn:${local.partition}:lambda:${local.region}:${local.account_id}:function:${name}"
  }

  approvals_url = "${aws_apigatewayv2_api.approvals.api_endpoint}/approvals"

  environment = merge({
    ASL_ACCOUNT_ID                   = local.account_id
    ASL_ALERTS_TOPIC_ARN             = aws_sns_topic.alerts.arn
    ASL_APPROVALS_URL                = local.approvals_url
    ASL_BUCKET                       = aws_s3_bucket.payloads.id
    ASL_DEAD_LETTERS_ARN             = aws_sqs_queue.dead_letters.arn
    ASL_DEAD_LETTERS_URL             = aws_sqs_queue.dead_letters.url
    ASL_DEFAULT_TASK_TIMEOUT_SECONDS = tostring(var.default_task_timeout_seconds)
    ASL_EXPIRE_DAYS                  = var.expire_days > 0 ? tostring(var.expire_days) : ""
    ASL_LOG_PAYLOADS                 = tostring(var.log_payloads)
    ASL_METRICS_NAMESPACE            = var.metrics_namespace
    ASL_QUEUE_ARN                    = aws_sqs_queue.events.arn
    ASL_QUEUE_MESSAGE_BYTES_MAX      = tostring(var.queue_message_bytes_max)
    ASL_QUEUE_URL                    = aws_sqs_queue.events.url
    ASL_SCHEDULER_GROUP              = aws_scheduler_schedule_group.timers.name
    ASL_SCHEDULER_ROLE_ARN           = aws_iam_role.scheduler.arn
    ASL_SIGNING_SECRET_ARN           = aws_secretsmanager_secret.signing.arn
    ASL_STEP_FUNCTIONS_ENDPOINT      = aws_apigatewayv2_api.step_functions.api_endpoint
    ASL_STORE                        = "dynamodb:${aws_dynamodb_table.executions.name}?bucket=${aws_s3_bucket.payloads.id}"
    ASL_TABLE                        = aws_dynamodb_table.executions.name
    },
    var.mail_from == null ? {} : { ASL_MAIL_FROM = var.mail_from },
    var.slack ? { ASL_SLACK_SECRET_ARN = aws_secretsmanager_secret.slack[0].arn } : {},
    var.webhooks ? { ASL_WEBHOOKS_SECRET_ARN = aws_secretsmanager_secret.webhooks[0].arn } : {},
    var.endpoints,
  )

  # `definitions` knows nothing but the function that answers the API.
  environments = {
    for function in keys(local.functions) : function => (
      function == "definitions"
      ? merge({ ASL_API_FUNCTION = local.function_names["api"] }, var.endpoints)
      : local.environment
    )
  }
}

locals {
  platform_file = "${var.packages_directory}/platform.json"
  built_for     = fileexists(local.platform_file) ? jsondecode(file(local.platform_file)) : null
  wanted        = { architecture = var.architecture, runtime = var.runtime }
}

resource "aws_lambda_function" "this" {
  for_each = local.functions

  function_name                  = local.function_names[each.key]
  description                    = each.value.description
  role                           = aws_iam_role.function[each.key].arn
  handler                        = "lambdas.${each.key}.handler.handle"
  runtime                        = var.runtime
  architectures                  = [var.architecture]
  filename                       = "${var.packages_directory}/${each.key}.zip"
  source_code_hash               = filebase64sha256("${var.packages_directory}/${each.key}.zip")
  timeout                        = each.value.timeout
  memory_size                    = lookup(var.memory_mb, each.key, each.value.memory)
  reserved_concurrent_executions = lookup(var.reserved_concurrency, each.key, -1)
  tags                           = var.tags

  environment {
    variables = local.environments[each.key]
  }

  tracing_config {
    mode = var.tracing ? "Active" : "PassThrough"
  }

  logging_config {
    log_format = "Text" # the functions write one JSON object per line themselves
    log_group  = aws_cloudwatch_log_group.function[each.key].name
  }

  lifecycle {
    precondition {
      condition     = local.built_for == local.wanted
      error_message = "The archives are for ${jsonencode(local.built_for)}, and the functions for ${jsonencode(local.wanted)}: run `asl package` for the same architecture and Python."
    }
  }
}

# A workflow goes round through the queue as often as it has steps; the engine bounds its own loops.
resource "aws_lambda_function_recursion_config" "this" {
  for_each = aws_lambda_function.this

  function_name  = each.value.function_name
  recursive_loop = "Allow"
}

resource "aws_cloudwatch_log_group" "function" {
  for_each = local.function_names

  name              = "/aws/lambda/${each.value}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}
