"""What a deployment to AWS is made of: the functions' archives, the definitions, and what they may do."""
