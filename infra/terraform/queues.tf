# Everything that happens to an execution comes in here.
resource "aws_sqs_queue" "events" {
  name                              = "${var.name}-events"
  visibility_timeout_seconds        = var.engine_timeout_seconds # Lambda accepts no less; a runner sets a minute
  message_retention_seconds         = 1209600
  max_message_size                  = var.queue_message_bytes_max
  sqs_managed_sse_enabled           = var.kms_key_arn == null ? true : null
  kms_master_key_id                 = var.kms_key_arn
  kms_data_key_reuse_period_seconds = var.kms_key_arn == null ? null : 3600
  tags                              = var.tags
}

# Apart from the queue: the provider waits half a minute for each queue, and so waits for both at once.
resource "aws_sqs_queue_redrive_policy" "events" {
  queue_url      = aws_sqs_queue.events.id
  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead_letters.arn, maxReceiveCount = 20 })
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name}-events-dlq"
  message_retention_seconds = 1209600
  max_message_size          = var.queue_message_bytes_max
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  kms_master_key_id         = var.kms_key_arn
  tags                      = var.tags
}

resource "aws_sqs_queue_redrive_allow_policy" "dead_letters" {
  queue_url            = aws_sqs_queue.dead_letters.id
  redrive_allow_policy = jsonencode({ redrivePermission = "byQueue", sourceQueueArns = [aws_sqs_queue.events.arn] })
}

# Events of jobs that EventBridge or the function could not deliver.
resource "aws_sqs_queue" "failed_events" {
  name                      = "${var.name}-job-events-dlq"
  message_retention_seconds = 1209600
  max_message_size          = var.queue_message_bytes_max
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  kms_master_key_id         = var.kms_key_arn
  tags                      = var.tags
}

resource "aws_sqs_queue_policy" "failed_events" {
  queue_url = aws_sqs_queue.failed_events.id
  policy = templatefile("${local.policies}/resource/failed-events.json", {
    queue_arn = aws_sqs_queue.failed_events.arn
    rule_arns = jsonencode([for rule in aws_cloudwatch_event_rule.jobs : rule.arn])
  })
}

resource "aws_lambda_event_source_mapping" "events" {
  event_source_arn        = aws_sqs_queue.events.arn
  function_name           = aws_lambda_function.this["engine"].arn
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = var.engine_maximum_concurrency
  }

  depends_on = [aws_iam_role_policy.own]
}
