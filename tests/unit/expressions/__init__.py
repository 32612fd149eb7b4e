"""Expressions: DynamoDB's words for every refusal, and what an accepted expression does."""
