"""Problem details (RFC 9457), in which every HTTP interface but DynamoDB's tells of errors."""

import orjson

content_type = "application/problem+json"


def problem_document(status: int, *, title: str, detail: str, reason: str) -> bytes:
    """`reason` is a stable word for programs, `detail` a sentence for people."""
    return orjson.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail, "reason": reason})
