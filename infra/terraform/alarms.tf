resource "aws_sns_topic" "alerts" {
  name = "${var.name}-alerts"
  tags = var.tags
}

resource "aws_sns_topic_subscription" "alerts_email" {
  count = var.alerts_email == null ? 0 : 1

  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "email"
  endpoint  = var.alerts_email
}

locals {
  alarms = merge(
    {
      for kind, queue in { events = aws_sqs_queue.dead_letters.name, job-events = aws_sqs_queue.failed_events.name } :
      "${kind}-dead-letters" => {
        description = "Messages that could not be handled wait in ${queue}"
        namespace   = "AWS/SQS"
        metric      = "ApproximateNumberOfMessagesVisible"
        statistic   = "Maximum"
        dimensions  = { QueueName = queue }
        threshold   = 0
      }
    },
    {
      timer-errors = {
        description = "Scheduler could not send a timer to the queue: its role, or the queue's key, refuses it"
        namespace   = "AWS/Scheduler"
        metric      = "TargetErrorCount"
        statistic   = "Sum"
        dimensions  = { ScheduleGroup = aws_scheduler_schedule_group.timers.name }
        threshold   = 0
      }
      sweeper-stopped = {
        description = "The sweeper has not run for 15 minutes: what is lost stays lost"
        namespace   = "AWS/Lambda"
        metric      = "Invocations"
        statistic   = "Sum"
        dimensions  = { FunctionName = local.function_names["sweeper"] }
        threshold   = 1
        periods     = 3
        comparison  = "LessThanThreshold"
        missing     = "breaching"
      }
      queue-age = {
        description = "The engine does not keep up: its oldest event waits for more than 5 minutes"
        namespace   = "AWS/SQS"
        metric      = "ApproximateAgeOfOldestMessage"
        statistic   = "Maximum"
        dimensions  = { QueueName = aws_sqs_queue.events.name }
        threshold   = 300
      }
      executions-failed = {
        description = "Executions failed"
        namespace   = var.metrics_namespace
        metric      = "ExecutionsFailed"
        statistic   = "Sum"
        dimensions  = {}
        threshold   = 0
      }
      executions-timed-out = {
        description = "Executions timed out"
        namespace   = var.metrics_namespace
        metric      = "ExecutionsTimedOut"
        statistic   = "Sum"
        dimensions  = {}
        threshold   = 0
      }
      poison-messages = {
        description = "A message could not be handled: its execution was failed, or the message set aside"
        namespace   = var.metrics_namespace
        metric      = "PoisonMessages"
        statistic   = "Sum"
        dimensions  = {}
        threshold   = 0
      }
      unstopped-jobs = {
        description = "A job runs on although its result no longer counts"
        namespace   = var.metrics_namespace
        metric      = "UnstoppedJobs"
        statistic   = "Sum"
        dimensions  = {}
        threshold   = 0
      }
      unknown-executions = {
        description = "A message named an execution that does not exist, and was dropped: its journal was deleted, or restored"
        namespace   = var.metrics_namespace
        metric      = "UnknownExecutions"
        statistic   = "Sum"
        dimensions  = {}
        threshold   = 0
      }
      sweeper-findings = {
        description = "The sweeper moved an execution on that nothing else would have: a defect, or a lost event"
        namespace   = var.metrics_namespace
        metric      = "SweeperFindings"
        statistic   = "Sum"
        dimensions  = {}
        threshold   = 0
      }
    },
    {
      for function, name in local.function_names : "${replace(function, "_", "-")}-errors" => {
        description = "Invocations of ${name} ended in an error"
        namespace   = "AWS/Lambda"
        metric      = "Errors"
        statistic   = "Sum"
        dimensions  = { FunctionName = name }
        threshold   = 0
      }
    },
    {
      for function in ["engine", "job_events", "sweeper"] : "${replace(function, "_", "-")}-recursion" => {
        description = "Lambda dropped invocations of ${local.function_names[function]} as a recursive loop"
        namespace   = "AWS/Lambda"
        metric      = "RecursiveInvocationsDropped"
        statistic   = "Sum"
        dimensions  = { FunctionName = local.function_names[function] }
        threshold   = 0
      }
    },
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = 300
  evaluation_periods  = try(each.value.periods, 1)
  comparison_operator = try(each.value.comparison, "GreaterThanThreshold")
  threshold           = each.value.threshold
  treat_missing_data  = try(each.value.missing, "notBreaching")
  alarm_actions       = [aws_sns_topic.alerts.arn]
  tags                = var.tags
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = templatefile("${path.module}/dashboard.json", {
    name              = var.name
    region            = local.region
    metrics_namespace = var.metrics_namespace
  })
}
