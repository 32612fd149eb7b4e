"""Decisions on stored rows, without a row being stored."""
