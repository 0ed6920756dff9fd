locals {
  manifest_file = "${var.packages_directory}/definitions.json"
  deploys       = var.definitions_directory != null
  no_manifest   = jsonencode({ definitions = {}, policy = { Statement = [] }, jobEventsPolicy = { Statement = [] } })
  manifest      = jsondecode(local.deploys ? file(local.manifest_file) : local.no_manifest)
  definitions   = local.manifest.definitions

  # Placeholders of the deployment itself, then those of the caller.
  substitutions = merge({
    "AWS::AccountId" = local.account_id
    "AWS::Partition" = local.partition
    "AWS::Region"    = local.region
    AslEngineName    = var.name
  }, var.definition_substitutions)

  placeholders_without_value = setsubtract(
    flatten([for definition in values(local.definitions) : definition.placeholders]), keys(local.substitutions)
  )

  # By the function that needs them; who calls nothing needs nothing.
  definitions_policies = {
    for function, policy in {
      api        = local.manifest.policy
      engine     = local.manifest.policy
      job_events = local.manifest.jobEventsPolicy
    } : function => jsonencode(policy) if length(policy.Statement) > 0
  }

  # Terraform folds no list, so a text is cut where placeholders begin and put together again with their values.
  policy_pieces = { for function, policy in local.definitions_policies : function => split("$${", policy) }
  task_policies = {
    for function, pieces in local.policy_pieces : function => join("", [
      for index, piece in pieces : index == 0 ? piece : join("", [
        local.substitutions[split("}", piece)[0]], join("}", slice(split("}", piece), 1, length(split("}", piece))))
      ])
    ])
  }
}

# The plan fails here, before anything is changed, when a definition is not one that was validated.
resource "terraform_data" "validated_definitions" {
  count = local.deploys ? 1 : 0
  input = { for name, definition in local.definitions : name => definition.sha256 }

  lifecycle {
    precondition {
      condition = alltrue([
        for definition in values(local.definitions) :
        try(filesha256("${var.definitions_directory}/${definition.file}"), "") == definition.sha256
      ])
      error_message = "These definitions changed since they were validated, so run `asl package --definitions ${var.definitions_directory}` again: ${join(", ", [
        for definition in values(local.definitions) : definition.file
        if try(filesha256("${var.definitions_directory}/${definition.file}"), "") != definition.sha256
      ])}"
    }

    precondition {
      condition = length(setsubtract(
        fileset(var.definitions_directory, "**/*.asl.json"), [for definition in values(local.definitions) : definition.file]
      )) == 0
      error_message = "These definitions were never validated, so run `asl package --definitions ${var.definitions_directory}` again: ${join(", ", setsubtract(
        fileset(var.definitions_directory, "**/*.asl.json"), [for definition in values(local.definitions) : definition.file]
      ))}"
    }

    precondition {
      condition     = length(local.placeholders_without_value) == 0
      error_message = "definition_substitutions has no value for: ${join(", ", local.placeholders_without_value)}"
    }
  }
}

# Publishes a version when the definition changes and points the alias at it. Running executions stay on theirs.
resource "aws_lambda_invocation" "definition" {
  for_each = local.definitions

  function_name   = aws_lambda_function.this["definitions"].function_name
  lifecycle_scope = "CRUD"
  terraform_key   = "terraform"
  input = jsonencode({
    name          = each.key
    type          = each.value.type
    definition    = file("${var.definitions_directory}/${each.value.file}")
    substitutions = local.substitutions
    alias         = var.alias
    roleArn       = aws_iam_role.function["engine"].arn
  })

  # The function publishes through the function `api`, which must be whole by then.
  depends_on = [
    terraform_data.validated_definitions,
    aws_lambda_function.this,
    aws_iam_role_policy.own,
    aws_iam_role_policy.tasks,
    aws_lambda_event_source_mapping.events,
    aws_secretsmanager_secret_version.signing,
  ]
}
