variable "name" {
  description = "Prefix of every resource's name. Two engines in one account and region need two names."
  type        = string
  default     = "asl-engine"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}$", var.name))
    error_message = "name is 1 to 31 lower-case letters, digits and dashes and begins with a letter: it names a bucket too."
  }
}

variable "packages_directory" {
  description = "Where `asl package` put the functions' archives, as in build/packages."
  type        = string
}

variable "architecture" {
  description = "What the archives were built for: arm64 or x86_64."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture is arm64 or x86_64."
  }
}

variable "runtime" {
  description = "Lambda runtime that the archives were built for."
  type        = string
  default     = "python3.13"
}

variable "definitions_directory" {
  description = "Directory of *.asl.json files to deploy. They must have been validated: `asl package --definitions DIRECTORY`."
  type        = string
  default     = null
}

variable "definition_substitutions" {
  description = "Values for $${Placeholders} in definitions and in the permissions that follow from them."
  type        = map(string)
  default     = {}
}

variable "alias" {
  description = "Alias that names the deployed version of every state machine."
  type        = string
  default     = "live"
}

variable "memory_mb" {
  description = "Memory of functions in MB, by function; what is not named keeps its default."
  type        = map(number)
  default     = {}
}

variable "reserved_concurrency" {
  description = "Reserved concurrency by function; what is not named shares the account's."
  type        = map(number)
  default     = {}
}

variable "engine_timeout_seconds" {
  description = "How long one engine invocation may run; it hands over before that."
  type        = number
  default     = 900
}

variable "engine_maximum_concurrency" {
  description = "How many engine functions the queue may run at once (2 to 1000)."
  type        = number
  default     = 100

  validation {
    condition     = var.engine_maximum_concurrency >= 2 && var.engine_maximum_concurrency <= 1000
    error_message = "Lambda accepts a maximum concurrency of 2 to 1000."
  }
}

variable "queue_message_bytes_max" {
  description = "Largest message of the queues. An AWS provider that is older than SQS's megabyte (5.x) accepts 262144 at most; then what a task returns must fit in that with its escapes."
  type        = number
  default     = 1048576
}

variable "default_task_timeout_seconds" {
  description = "Timeout of tasks whose definition gives none. AWS Step Functions waits 99999999 seconds."
  type        = number
  default     = 86400
}

variable "expire_days" {
  description = "Finished executions are deleted after this many days; 0 keeps them for ever. Step Functions keeps them 90. It costs writing every record a second time."
  type        = number
  default     = 0
}

variable "log_payloads" {
  description = "Write inputs and outputs to the logs too. They may hold personal data."
  type        = bool
  default     = false
}

variable "log_retention_days" {
  description = "How long CloudWatch keeps the functions' logs."
  type        = number
  default     = 30
}

variable "metrics_namespace" {
  description = "CloudWatch namespace of the engine's own metrics."
  type        = string
  default     = "AslEngine"
}

variable "tracing" {
  description = "Trace the functions with X-Ray."
  type        = bool
  default     = false
}

variable "kms_key_arn" {
  description = "Key of your own for table, bucket, queues and secrets; null takes the keys of AWS."
  type        = string
  default     = null
}

variable "mail_from" {
  description = "Sender of approval mails, a verified SES address or an address of a verified domain; null sends none."
  type        = string
  default     = null
}

variable "mail_identity" {
  description = "The verified SES identity (address or domain) of mail_from; null is the address itself."
  type        = string
  default     = null
}

variable "slack" {
  description = "Create a secret for Slack's credentials. Its value is yours to put: see docs/deployment.md."
  type        = bool
  default     = false
}

variable "webhooks" {
  description = "Create a secret for webhooks that approvals are announced to. Its value is yours to put: see docs/deployment.md."
  type        = bool
  default     = false
}

variable "alerts_email" {
  description = "Address that alarms are mailed to; null subscribes nobody."
  type        = string
  default     = null
}

variable "bucket_force_destroy" {
  description = "Let `terraform destroy` delete the bucket while it holds payloads."
  type        = bool
  default     = false
}

variable "deletion_protection" {
  description = "Refuse to delete the table. Set false and apply before a destroy."
  type        = bool
  default     = true
}

variable "endpoints" {
  description = "AWS endpoints for the functions by SDK variable, as in { AWS_ENDPOINT_URL = \"http://127.0.0.1:4566\" }: for emulators only."
  type        = map(string)
  default     = {}
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}
