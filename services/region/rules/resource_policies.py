"""Resource policies: whether a document is one, its canonical form, and which revision a change may replace.

Policies are kept and given back; nothing judges requests by them.
"""

import json
import re
from collections.abc import Mapping, Sequence, Set
from typing import Any

from services.region.rules.replica_facts import ResourcePolicy
from services.region.rules.throughput import invalid
from shared.errors import PolicyNotFoundError, ValidationError
from shared.limits import policy_bytes_max

none_expected = "NO_POLICY"
not_found = "Resource-based policy not found for the provided ResourceArn: "
_first_version = "2008-10-17"
_members = ("Version", "Id", "Statement")
_statement_members = (
    *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction"),
    *("Resource", "NotResource", "Condition"),
)
_required = (("Effect",), ("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource"))
_account = re.compile(r"[0-9]{12}").fullmatch
_never_granted = frozenset({"dynamodb:liststreams"})
_of_streams_alone = frozenset({"dynamodb:describestream", "dynamodb:getrecords", "dynamodb:getsharditerator"})


def canonical_policy(text: str, *, of_stream: bool) -> str:
    """The document as it is given back; documents that mean the same are mostly the same in it."""
    if len(text.encode()) > policy_bytes_max:
        raise ValidationError(f"{invalid}Maximum policy size of {policy_bytes_max} bytes exceeded")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise _malformed("This policy contains invalid Json") from None
    if document is None:
        raise _malformed("This text appears not to be a policy")
    if not isinstance(document, dict):
        raise _malformed("This policy contains invalid Json")
    if not document:
        raise _malformed("Syntax error at position (1,3)")
    statements = document.get("Statement")
    if not statements:
        raise _malformed("Could not parse the policy: Statement is empty!")
    statements = statements if isinstance(statements, list) else [statements]
    _check_principals(statements, text)
    canonical = [_canonical_statement(statement) for statement in statements]
    names = [statement["Sid"] for statement in canonical if "Sid" in statement]
    if len(names) > len({str(name) for name in names}):
        raise _malformed("The Statement Ids in the policy are not unique")
    _check_actions(canonical, _never_granted if of_stream else _never_granted | _of_streams_alone)
    ordered = _ordered(document | {"Statement": canonical}, _members)
    written = json.dumps(ordered, separators=(",", ":"), ensure_ascii=False)
    if any("\ud800" <= char <= "\udfff" for char in written):
        raise _malformed("This policy contains invalid Json")
    return written


def shown_policy(document: str) -> str:
    """A document that names no version is of the first one; yet it is another document than one that says so."""
    if document.startswith('{"Version"'):
        return document
    return f'{{"Version":"{_first_version}",{document[1:]}'


def first_policy(document: str, now_us: int) -> ResourcePolicy:
    return ResourcePolicy(document, str(now_us // 1000))


def next_policy(present: ResourcePolicy | None, document: str, now_us: int) -> ResourcePolicy:
    """What is there already stays, with its revision."""
    if present is None:
        return first_policy(document, now_us)
    if present.document == document:
        return present
    return ResourcePolicy(document, str(max(now_us // 1000, int(present.revision) + 1)))


def check_revision(present: ResourcePolicy | None, expected: str | None, *, table: str) -> None:
    if expected is None or (present is not None and present.revision == expected):
        return
    if expected == none_expected:
        if present is not None:
            raise PolicyNotFoundError(
                f"{not_found}Requested policy update expecting none to be present for table {table}, "
                f"but a policy exists with revision id {present.revision}."
            )
        return
    if present is None:
        raise PolicyNotFoundError(
            f"{not_found}Requested update for policy with revision id {expected}, "
            f"but table {table} has no associated policy."
        )
    raise PolicyNotFoundError(
        f"{not_found}Requested update for policy with revision id {expected}, "
        f"but the policy associated to target table {table} has revision id {present.revision}."
    )


def _canonical_statement(statement: Any) -> dict[str, Any]:
    if not isinstance(statement, dict):
        raise _malformed("Could not parse the policy: Statement is empty!")
    for names in _required:
        if not any(name in statement for name in names):
            raise _malformed(f"Missing required field {names[0]}")
    effect = str(statement["Effect"]).title()
    if effect not in ("Allow", "Deny"):
        raise _malformed(f"Invalid effect: {statement['Effect']}")
    if effect == "Allow" and "Condition" not in statement and _is_everybody(statement.get("Principal")):
        raise ValidationError(
            "Resource-based policy grants unbounded access in one or more elements. "
            "Please revise the policy to ensure least-privilege form of access"
        )
    lists = ("Action", "NotAction", "Resource", "NotResource")
    changed = {"Effect": effect} | {name: _single(statement[name]) for name in lists if name in statement}
    for name in ("Principal", "NotPrincipal"):
        if isinstance(statement.get(name), dict):
            changed[name] = {kind: _single(_principals(value)) for kind, value in statement[name].items()}
    if isinstance(statement.get("Condition"), dict):
        changed["Condition"] = {
            operator: {key: _single(value) for key, value in keys.items()} if isinstance(keys, dict) else keys
            for operator, keys in statement["Condition"].items()
        }
    return _ordered(statement | changed, _statement_members)


def _check_principals(statements: Sequence[Any], text: str) -> None:
    """Who is named without saying of what kind is everybody; the error tells where another name ends in one line."""
    for statement in statements:
        for name in ("Principal", "NotPrincipal"):
            named = statement.get(name) if isinstance(statement, dict) else None
            if isinstance(named, str) and named != "*":
                raise _malformed(f"Syntax error at position (1,{text.find(named) + len(named) + 2})")


def _check_actions(statements: Sequence[Mapping[str, Any]], refused: Set[str]) -> None:
    """Actions that can't be granted on the resource, by their names in lower case; others are not looked at."""
    named = [action for statement in statements for action in _listed(statement.get("Action"))]
    wrong = [f'"{action}"' for action in named if isinstance(action, str) and action.lower() in refused]
    if wrong:
        raise _malformed(f"The following action names are invalid: {', '.join(dict.fromkeys(wrong))}")


def _is_everybody(principal: Any) -> bool:
    if isinstance(principal, dict):
        named = principal.get("AWS")
        return "*" in named if isinstance(named, list) else bool(named == "*")
    return bool(principal == "*")


def _principals(value: Any) -> Any:
    named = [
        f"arn:aws:iam::{each}:root" if isinstance(each, str) and _account(each) else each for each in _listed(value)
    ]
    return [each for place, each in enumerate(named) if each not in named[:place]]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _single(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _ordered(members: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    known = {name: members[name] for name in names if name in members}
    return known | {name: value for name, value in members.items() if name not in known}


def _malformed(problem: str) -> ValidationError:
    return ValidationError(f"{invalid}Invalid policy document: {problem}")
