terraform {
  required_version = ">= 1.11" # the signing key is an ephemeral value, which never enters the state

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
}
