"""Operations of the Step Functions API on an ExecutionStore, under AWS's names: commands and servers share them."""
