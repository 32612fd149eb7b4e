"""DynamoDB's expressions: text is parsed once into nodes, which are then judged against items. Pure."""
