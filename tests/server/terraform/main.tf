terraform {
  required_providers { aws = { source = "hashicorp/aws" } }
}
variable "endpoint" { type = string }
variable "comment" {
  type    = string
  default = "first"
}
provider "aws" {
  region                      = "us-east-1"
  access_key                  = "local"
  secret_key                  = "local"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  endpoints { sfn = var.endpoint }
}
resource "aws_sfn_state_machine" "orders" {
  name       = "orders"
  role_arn   = "arn:aws:iam::123456789012:role/orders"
  publish    = true
  definition = jsonencode({ Comment = var.comment, StartAt = "Done", States = { Done = { Type = "Pass", End = true } } })
  tags       = { team = "ml" }
}
resource "aws_sfn_state_machine" "quick" {
  name       = "quick"
  type       = "EXPRESS"
  role_arn   = "arn:aws:iam::123456789012:role/orders"
  definition = jsonencode({ StartAt = "Done", States = { Done = { Type = "Succeed" } } })
}
resource "aws_sfn_activity" "review" {
  name = "review"
  tags = { team = "ml" }
}
resource "aws_sfn_alias" "live" {
  name = "live"
  routing_configuration {
    state_machine_version_arn = aws_sfn_state_machine.orders.state_machine_version_arn
    weight                    = 100
  }
}
data "aws_sfn_state_machine" "orders" {
  name = aws_sfn_state_machine.orders.name
}
output "arn" { value = data.aws_sfn_state_machine.orders.arn }
