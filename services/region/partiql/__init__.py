"""DynamoDB's dialect of PartiQL: text to statements, and statements to the commands that they mean. Pure."""
