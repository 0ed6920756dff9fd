# The Step Functions API: AWS JSON 1.0 on POST /, signed with the caller's IAM identity.
resource "aws_apigatewayv2_api" "step_functions" {
  name          = "${var.name}-api"
  description   = "The Step Functions API of ${var.name}"
  protocol_type = "HTTP"
  tags          = var.tags
}

resource "aws_apigatewayv2_integration" "step_functions" {
  api_id                 = aws_apigatewayv2_api.step_functions.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.this["api"].arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "step_functions" {
  api_id             = aws_apigatewayv2_api.step_functions.id
  route_key          = "POST /"
  authorization_type = "AWS_IAM"
  target             = "integrations/${aws_apigatewayv2_integration.step_functions.id}"
}

resource "aws_apigatewayv2_stage" "step_functions" {
  api_id      = aws_apigatewayv2_api.step_functions.id
  name        = "$default"
  auto_deploy = true
  tags        = var.tags
}

resource "aws_lambda_permission" "step_functions" {
  statement_id  = "http-api"
  function_name = aws_lambda_function.this["api"].function_name
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.step_functions.execution_arn}/*/POST/"
}

# Approval pages and Slack's callbacks. Their links and signatures are the authorization; nothing is logged here, because
# a link is a secret.
resource "aws_apigatewayv2_api" "approvals" {
  name          = "${var.name}-approvals"
  description   = "Approval pages of ${var.name}"
  protocol_type = "HTTP"
  tags          = var.tags
}

resource "aws_apigatewayv2_integration" "approvals" {
  api_id                 = aws_apigatewayv2_api.approvals.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.this["approvals"].arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "approvals" {
  api_id             = aws_apigatewayv2_api.approvals.id
  route_key          = "$default"
  authorization_type = "NONE"
  target             = "integrations/${aws_apigatewayv2_integration.approvals.id}"
}

resource "aws_apigatewayv2_stage" "approvals" {
  api_id      = aws_apigatewayv2_api.approvals.id
  name        = "$default"
  auto_deploy = true
  tags        = var.tags

  default_route_settings {
    throttling_burst_limit = 50
    throttling_rate_limit  = 20
  }
}

resource "aws_lambda_permission" "approvals" {
  statement_id  = "http-api"
  function_name = aws_lambda_function.this["approvals"].function_name
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.approvals.execution_arn}/*"
}
