"""PutResourcePolicy, GetResourcePolicy and DeleteResourcePolicy."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.compat.tables import attribute, invalid, made_table, refused, unique


@pytest.fixture
def arn(client: Any, resource: Any) -> Iterator[str]:
    with made_table(resource, attribute("p", "S")) as made:
        yield client.describe_table(TableName=made.name)["Table"]["TableArn"]


def statement(**members: Any) -> dict[str, Any]:
    usual = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "dynamodb:GetItem",
        "Resource": "*",
    }
    return usual | members


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def test_a_policy_is_kept_replaced_and_deleted(client: Any, arn: str) -> None:
    with refused("PolicyNotFoundException", f"Resource-based policy not found for the provided ResourceArn: {arn}"):
        client.get_resource_policy(ResourceArn=arn)
    first = client.put_resource_policy(ResourceArn=arn, Policy=policy(statement()))["RevisionId"]
    found = client.get_resource_policy(ResourceArn=arn)
    assert found["RevisionId"] == first
    assert json.loads(found["Policy"])["Statement"][0]["Action"] == "dynamodb:GetItem"
    second = client.put_resource_policy(ResourceArn=arn, Policy=policy(statement(Action="dynamodb:Query")))[
        "RevisionId"
    ]
    assert int(second) > int(first)
    assert client.delete_resource_policy(ResourceArn=arn)["RevisionId"] == second
    assert "RevisionId" not in client.delete_resource_policy(ResourceArn=arn)
    with refused("PolicyNotFoundException"):
        client.get_resource_policy(ResourceArn=arn)


def test_a_document_that_means_the_same_is_the_same_revision(client: Any, arn: str) -> None:
    wanted = statement(Principal={"AWS": "111122223333"}, Action=["dynamodb:GetItem"])
    first = client.put_resource_policy(ResourceArn=arn, Policy=json.dumps(json.loads(policy(wanted)), indent=4))
    same = client.put_resource_policy(ResourceArn=arn, Policy=policy(statement()))
    assert same["RevisionId"] == first["RevisionId"]
    assert client.get_resource_policy(ResourceArn=arn)["Policy"] == (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},'
        '"Action":"dynamodb:GetItem","Resource":"*"}]}'
    )


def test_a_policy_is_read_back_in_its_canonical_form(client: Any, arn: str) -> None:
    root = "arn:aws:iam::111122223333:root"
    sent = statement(
        Effect="allow",
        Principal={"AWS": ["111122223333", root]},
        Action=["dynamodb:Query", "dynamodb:GetItem", "dynamodb:GetItem"],
        Condition={"StringEquals": {"aws:PrincipalAccount": ["111122223333"]}},
    )
    shown = sent | {
        "Effect": "Allow",
        "Principal": {"AWS": root},
        "Condition": {"StringEquals": {"aws:PrincipalAccount": "111122223333"}},
    }
    given = json.dumps({"Statement": sent})
    first = client.put_resource_policy(ResourceArn=arn, Policy=given)["RevisionId"]
    read = client.get_resource_policy(ResourceArn=arn)["Policy"]
    assert read == json.dumps({"Version": "2008-10-17", "Statement": [shown]}, separators=(",", ":"))
    assert client.put_resource_policy(ResourceArn=arn, Policy=given)["RevisionId"] == first
    assert client.put_resource_policy(ResourceArn=arn, Policy=read)["RevisionId"] != first


def test_only_the_expected_revision_is_changed(client: Any, arn: str) -> None:
    with refused("PolicyNotFoundException", "has no associated policy"):
        client.put_resource_policy(ResourceArn=arn, Policy=policy(statement()), ExpectedRevisionId="1")
    first = client.put_resource_policy(ResourceArn=arn, Policy=policy(statement()), ExpectedRevisionId="NO_POLICY")
    changed = policy(statement(Effect="Deny"))
    for revision, message in (
        ("NO_POLICY", f"but a policy exists with revision id {first['RevisionId']}."),
        ("1", f"has revision id {first['RevisionId']}."),
    ):
        with refused("PolicyNotFoundException", message):
            client.put_resource_policy(ResourceArn=arn, Policy=changed, ExpectedRevisionId=revision)
    with refused("PolicyNotFoundException"):
        client.delete_resource_policy(ResourceArn=arn, ExpectedRevisionId="1")
    client.put_resource_policy(ResourceArn=arn, Policy=changed, ExpectedRevisionId=first["RevisionId"])


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("", "Invalid policy document: This policy contains invalid Json"),
        ("[]", "Invalid policy document: This policy contains invalid Json"),
        ("[" * 10_000, "Invalid policy document: This policy contains invalid Json"),
        ("null", "Invalid policy document: This text appears not to be a policy"),
        ("{}", "Invalid policy document: Syntax error at position (1,3)"),
        (policy(), "Invalid policy document: Could not parse the policy: Statement is empty!"),
        (policy({}), "Invalid policy document: Missing required field Effect"),
        (policy({"Effect": "Allow"}), "Invalid policy document: Missing required field Principal"),
        (
            policy(statement(Sid="one"), statement(Sid="one")),
            "Invalid policy document: The Statement Ids in the policy are not unique",
        ),
        (
            policy(
                statement(Action=["dynamodb:GetRecords", "dynamodb:Query"]), statement(Action="dynamodb:ListStreams")
            ),
            'The following action names are invalid: "dynamodb:GetRecords", "dynamodb:ListStreams"',
        ),
        (policy(statement(Principal="111122223333")), "Invalid policy document: Syntax error at position (1,"),
        (policy(statement(Principal="*")), "Resource-based policy grants unbounded access in one or more elements."),
        (" " * 20_481, "Maximum policy size of 20480 bytes exceeded"),
        ('{"Statement": [{"Effect": "\\ud800"}]}', "Invalid policy document: "),
    ],
)
def test_documents_that_are_no_policies(client: Any, arn: str, document: str, message: str) -> None:
    with invalid(message):
        client.put_resource_policy(ResourceArn=arn, Policy=document)


def test_a_stream_has_a_policy_of_its_own(client: Any, arn: str) -> None:
    settings = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    table = client.update_table(TableName=arn.partition("/")[2], StreamSpecification=settings)["TableDescription"]
    stream = table["LatestStreamArn"]
    client.put_resource_policy(ResourceArn=stream, Policy=policy(statement(Action="dynamodb:GetRecords")))
    assert '"dynamodb:GetRecords"' in client.get_resource_policy(ResourceArn=stream)["Policy"]
    with refused("PolicyNotFoundException"):
        client.get_resource_policy(ResourceArn=arn)
    with invalid('Invalid policy document: The following action names are invalid: "dynamodb:ListStreams"'):
        client.put_resource_policy(ResourceArn=stream, Policy=policy(statement(Action="dynamodb:ListStreams")))


def test_arns_without_a_policy_of_their_own(client: Any, arn: str) -> None:
    name = arn.partition("/")[2]
    missing = unique("nowhere")
    for given, code, message in (
        (name, "ValidationException", f"ARNs must start with 'arn:': {name}"),
        (arn.replace("us-east-1", "eu-north-1"), "ValidationException", "Invalid resource Arn: "),
        (arn.replace(name, missing), "ResourceNotFoundException", f"Table: {missing} not found"),
        (f"{arn}/index/by-date", "ValidationException", "only table or stream is accepted"),
        (
            f"{arn}/stream/2000-01-01T00:00:00.000",
            "ResourceNotFoundException",
            f"Stream: 2000-01-01T00:00:00.000 not found for Table: {name}",
        ),
        (
            arn.replace(arn.split(":")[4], "999999999999"),
            "ValidationException",
            "This action is only supported by accounts that match the resource owner’s account.",
        ),
    ):
        with refused(code, message):
            client.get_resource_policy(ResourceArn=given)
        with refused(code, message):
            client.put_resource_policy(ResourceArn=given, Policy=policy(statement()))


@pytest.mark.parametrize("request_", [{}, {"ResourceArn": ""}, {"ResourceArn": "x" * 1284}])
def test_an_arn_has_to_be_given(client: Any, request_: dict[str, str]) -> None:
    with invalid("at 'resourceArn' failed to satisfy constraint"):
        client.get_resource_policy(**request_)
