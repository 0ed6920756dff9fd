# 32 random bytes in hexadecimal. Ephemeral and write-only: the key is in no plan and in no state.
ephemeral "aws_secretsmanager_random_password" "signing" {
  password_length            = 64
  exclude_characters         = "ghijklmnopqrstuvwxyz"
  exclude_punctuation        = true
  exclude_uppercase          = true
  include_space              = false
  require_each_included_type = false
}

resource "aws_secretsmanager_secret" "signing" {
  name                    = "${var.name}/signing-keys"
  description             = "Keys that sign approval links and task tokens: key id to hexadecimal key; the first signs, all verify"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.deletion_protection ? 30 : 0
  tags                    = var.tags
}

resource "aws_secretsmanager_secret_version" "signing" {
  secret_id                = aws_secretsmanager_secret.signing.id
  secret_string_wo         = jsonencode({ k1 = ephemeral.aws_secretsmanager_random_password.signing.random_password })
  secret_string_wo_version = 1
}

resource "aws_secretsmanager_secret" "slack" {
  count = var.slack ? 1 : 0

  name                    = "${var.name}/slack"
  description             = "Slack's credentials: bot_token, signing_secret, webhook_url"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.deletion_protection ? 30 : 0
  tags                    = var.tags
}

resource "aws_secretsmanager_secret" "webhooks" {
  count = var.webhooks ? 1 : 0

  name                    = "${var.name}/webhooks"
  description             = "Webhooks that approvals are announced to: name to url and secret"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.deletion_protection ? 30 : 0
  tags                    = var.tags
}
