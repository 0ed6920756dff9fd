locals {
  job_events = {
    athena = {
      source      = ["aws.athena"]
      detail-type = ["Athena Query State Change"]
      detail      = { currentState = ["SUCCEEDED", "FAILED", "CANCELLED"] }
    }
    batch = {
      source      = ["aws.batch"]
      detail-type = ["Batch Job State Change"]
      detail      = { status = ["SUCCEEDED", "FAILED"] }
    }
    sagemaker = {
      source = ["aws.sagemaker"]
      detail-type = [
        "SageMaker HyperParameter Tuning Job State Change",
        "SageMaker Processing Job State Change",
        "SageMaker Training Job State Change",
        "SageMaker Transform Job State Change",
      ]
    }
  }
}

resource "aws_cloudwatch_event_rule" "jobs" {
  for_each = local.job_events

  name          = "${var.name}-${each.key}-jobs"
  description   = "Ends of ${each.key} jobs"
  event_pattern = jsonencode(each.value)
  tags          = var.tags
}

resource "aws_cloudwatch_event_target" "jobs" {
  for_each = aws_cloudwatch_event_rule.jobs

  rule      = each.value.name
  target_id = "job-events"
  arn       = aws_lambda_function.this["job_events"].arn

  dead_letter_config {
    arn = aws_sqs_queue.failed_events.arn
  }
}

resource "aws_lambda_permission" "jobs" {
  for_each = aws_cloudwatch_event_rule.jobs

  statement_id  = "events-${each.key}"
  function_name = aws_lambda_function.this["job_events"].function_name
  action        = "lambda:InvokeFunction"
  principal     = "events.amazonaws.com"
  source_arn    = each.value.arn
}

resource "aws_lambda_function_event_invoke_config" "job_events" {
  function_name                = aws_lambda_function.this["job_events"].function_name
  maximum_event_age_in_seconds = 21600
  maximum_retry_attempts       = 2

  destination_config {
    on_failure {
      destination = aws_sqs_queue.failed_events.arn
    }
  }

  depends_on = [aws_iam_role_policy.own]
}

resource "aws_cloudwatch_event_rule" "sweep" {
  name                = "${var.name}-sweep"
  description         = "Looks for executions that nothing would move on"
  schedule_expression = "rate(5 minutes)"
  tags                = var.tags
}

resource "aws_cloudwatch_event_target" "sweep" {
  rule      = aws_cloudwatch_event_rule.sweep.name
  target_id = "sweeper"
  arn       = aws_lambda_function.this["sweeper"].arn
}

resource "aws_lambda_permission" "sweep" {
  statement_id  = "events-sweep"
  function_name = aws_lambda_function.this["sweeper"].function_name
  action        = "lambda:InvokeFunction"
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.sweep.arn
}

resource "aws_cloudwatch_event_rule" "deliver" {
  name                = "${var.name}-deliver"
  description         = "Sends the answers of approvals that are due"
  schedule_expression = "rate(1 minute)"
  tags                = var.tags
}

resource "aws_cloudwatch_event_target" "deliver" {
  rule      = aws_cloudwatch_event_rule.deliver.name
  target_id = "notifier"
  arn       = aws_lambda_function.this["notifier"].arn
  input     = jsonencode({ action = "deliver" })
}

resource "aws_lambda_permission" "deliver" {
  statement_id  = "events-deliver"
  function_name = aws_lambda_function.this["notifier"].function_name
  action        = "lambda:InvokeFunction"
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.deliver.arn
}

# Timers beyond the 15 minutes of an SQS delay.
resource "aws_scheduler_schedule_group" "timers" {
  name = var.name
  tags = var.tags
}
