"""The DynamoDB wire: request dicts become commands in DynamoDB's order of checks, results become reply bytes."""
