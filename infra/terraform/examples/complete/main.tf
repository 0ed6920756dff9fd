# A team's engine: its own definitions, mail and Slack approvals, alarms by mail.

terraform {
  required_version = ">= 1.11"
}

provider "aws" {
  region = "eu-central-1"
}

module "asl_engine" {
  source = "../.."

  packages_directory    = "${path.root}/../../../../build/packages"
  definitions_directory = "${path.root}/../../../../state_machines"
  mail_from             = "approvals@example.com"
  mail_identity         = "example.com"
  slack                 = true
  webhooks              = true
  alerts_email          = "team@example.com"
  memory_mb             = { engine = 1024 }
  reserved_concurrency  = { engine = 50 }
  tags                  = { team = "ml-platform" }
}

output "asl_engine" {
  value = module.asl_engine
}
