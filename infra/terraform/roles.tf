locals {
  grants = merge({
    alerts_topic_arn        = aws_sns_topic.alerts.arn
    api_function_arn        = local.function_arns["api"]
    bucket_arn              = aws_s3_bucket.payloads.arn
    dead_letters_queue_arn  = aws_sqs_queue.dead_letters.arn
    failed_events_queue_arn = aws_sqs_queue.failed_events.arn
    queue_arn               = aws_sqs_queue.events.arn
    schedule_arn            = "arn:${local.partition}:scheduler:${local.region}:${local.account_id}:schedule/${var.name}/*"
    scheduler_role_arn      = aws_iam_role.scheduler.arn
    signing_secret_arn      = aws_secretsmanager_secret.signing.arn
    step_functions_api_arn  = aws_apigatewayv2_api.step_functions.execution_arn
    table_arn               = aws_dynamodb_table.executions.arn
  })

  mail_identity = var.mail_from == null ? "" : coalesce(var.mail_identity, var.mail_from)

  optional_policies = merge(
    var.tracing ? {
      for function in keys(local.functions) : "${function}-tracing" => file("${local.policies}/optional/tracing.json")
    } : {},
    var.kms_key_arn == null ? {} : {
      for function in keys(local.functions) : "${function}-encryption" =>
      templatefile("${local.policies}/optional/encryption.json", { kms_key_arn = var.kms_key_arn })
    },
    var.slack ? {
      for function in ["approvals", "notifier"] : "${function}-slack" =>
      templatefile("${local.policies}/optional/slack.json", { slack_secret_arn = aws_secretsmanager_secret.slack[0].arn })
    } : {},
    var.webhooks ? {
      notifier-webhooks = templatefile("${local.policies}/optional/webhooks.json", {
        webhooks_secret_arn = aws_secretsmanager_secret.webhooks[0].arn
      })
    } : {},
    var.mail_from == null ? {} : {
      notifier-mail = templatefile("${local.policies}/optional/mail.json", {
        mail_from         = var.mail_from
        mail_identity_arn = "arn:${local.partition}:ses:${local.region}:${local.account_id}:identity/${local.mail_identity}"
      })
    },
  )
}

resource "aws_iam_role" "function" {
  for_each = local.function_names

  name               = each.value
  description        = "What the function ${each.value} may do"
  assume_role_policy = file("${local.policies}/trust/lambda.json")
  tags               = var.tags
}

resource "aws_iam_role_policy" "own" {
  for_each = local.functions

  name = "own"
  role = aws_iam_role.function[each.key].id
  policy = templatefile(
    "${local.policies}/${each.key}.json",
    merge(local.grants, { log_group_arn = aws_cloudwatch_log_group.function[each.key].arn })
  )
}

resource "aws_iam_role_policy" "optional" {
  for_each = local.optional_policies

  name   = split("-", each.key)[1]
  role   = aws_iam_role.function[split("-", each.key)[0]].id
  policy = each.value
}

# What the deployed definitions call: exactly what `asl permissions` prints for them, for the
# engine, and for `api`, in which Express executions run; how a job ended is asked by the function
# that hears of its end.
resource "aws_iam_role_policy" "tasks" {
  for_each = local.task_policies

  name   = "tasks"
  role   = aws_iam_role.function[each.key].id
  policy = each.value
}

resource "aws_iam_role" "scheduler" {
  name               = "${var.name}-scheduler"
  description        = "Lets EventBridge Scheduler send timers to the engine's queue"
  assume_role_policy = templatefile("${local.policies}/trust/scheduler.json", { account_id = local.account_id })
  tags               = var.tags
}

resource "aws_iam_role_policy" "scheduler" {
  name = "own"
  role = aws_iam_role.scheduler.id
  policy = templatefile("${local.policies}/scheduler.json", {
    queue_arn              = aws_sqs_queue.events.arn
    dead_letters_queue_arn = aws_sqs_queue.dead_letters.arn
  })
}

# The queue is encrypted, so whoever sends to it needs the key.
resource "aws_iam_role_policy" "scheduler_encryption" {
  count = var.kms_key_arn == null ? 0 : 1

  name   = "encryption"
  role   = aws_iam_role.scheduler.id
  policy = templatefile("${local.policies}/optional/encryption.json", { kms_key_arn = var.kms_key_arn })
}
