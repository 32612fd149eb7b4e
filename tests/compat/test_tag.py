"""TagResource, UntagResource and ListTagsOfResource."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.compat.tables import attribute, invalid, made_table, refused, unique


@pytest.fixture
def arn(client: Any, resource: Any) -> Iterator[str]:
    with made_table(resource, attribute("p", "S")) as made:
        yield client.describe_table(TableName=made.name)["Table"]["TableArn"]


def pairs(**tags: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tags_of(client: Any, arn: str) -> dict[str, str]:
    page = client.list_tags_of_resource(ResourceArn=arn)
    assert "NextToken" not in page
    return {tag["Key"]: tag["Value"] for tag in page["Tags"]}


def test_tags_are_added_replaced_and_removed(client: Any, arn: str) -> None:
    assert tags_of(client, arn) == {}
    client.tag_resource(ResourceArn=arn, Tags=pairs(team="blue", Team="red", empty=""))
    client.tag_resource(ResourceArn=arn, Tags=pairs(team="green"))
    assert tags_of(client, arn) == {"team": "green", "Team": "red", "empty": ""}
    client.untag_resource(ResourceArn=arn, TagKeys=["Team", "never there"])
    assert tags_of(client, arn) == {"team": "green", "empty": ""}


@pytest.mark.parametrize(
    ("key", "value"),
    [("k" * 128, "v" * 256), ("sp ace", "a+b-c=d.e_f:g/h@i"), ("ключ", "表"), (" leading", "café"), ("myaws:x", "1")],
)
def test_tags_that_can_be(client: Any, arn: str, key: str, value: str) -> None:
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": key, "Value": value}])
    assert tags_of(client, arn) == {key: value}


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ([], "Atleast one Tag needs to be provided as Input."),
        ([{}], "The Tag Key provided is invalid, Key: null"),
        ([{"Key": "k"}], "The Tag Value provided is invalid, Value: null"),
        ([{"Key": "", "Value": "v"}], "The Tag Key provided is invalid, Key: "),
        ([{"Key": "k" * 129, "Value": "v"}], f"The Tag Key provided is invalid, Key: {'k' * 129}"),
        ([{"Key": "k", "Value": "v" * 257}], f"The Tag Value provided is invalid, Value: {'v' * 257}"),
        ([{"Key": "bad#char", "Value": "v"}], "The Tag Key provided is invalid, Key: bad#char"),
        ([{"Key": "k", "Value": "100%"}], "The Tag Value provided is invalid, Value: 100%"),
        ([{"Key": "aws:x", "Value": "v"}], "Tag Key cannot be prefixed with aws:, Key: aws:x"),
        ([{"Key": "AWS:x", "Value": "v"}], "Tag Key cannot be prefixed with aws:, Key: AWS:x"),
        (pairs(a="1") * 2, "Duplicate Tag Keys provided as input: Duplicate Tag Key found a"),
        (
            [{"Key": f"k{number}", "Value": ""} for number in range(51)],
            "Number of Tags exceed the current limit for the provided ResourceArn",
        ),
    ],
)
def test_tags_that_cannot_be(client: Any, arn: str, tags: list[dict[str, str]], message: str) -> None:
    with invalid(message):
        client.tag_resource(ResourceArn=arn, Tags=[{"Key": "good", "Value": "tag"}, *tags] if tags else tags)
    assert tags_of(client, arn) == {}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ([], "Atleast one Tag Key needs to be provided as Input."),
        ([""], "The Tag Key provided is invalid, Key: "),
        (["aws:x"], "Tag Key cannot be prefixed with aws:, Key: aws:x"),
        (
            [f"k{number}" for number in range(51)],
            "Number of Tags exceed the current limit for the provided ResourceArn",
        ),
    ],
)
def test_keys_that_cannot_be_removed(client: Any, arn: str, keys: list[str], message: str) -> None:
    with invalid(message):
        client.untag_resource(ResourceArn=arn, TagKeys=keys)


def test_a_table_has_fifty_tags_at_most(client: Any, arn: str) -> None:
    fifty = [{"Key": f"k{number}", "Value": "first"} for number in range(50)]
    client.tag_resource(ResourceArn=arn, Tags=fifty)
    client.tag_resource(ResourceArn=arn, Tags=pairs(k7="second"))
    with invalid("Number of Tags exceed the current limit for the provided ResourceArn"):
        client.tag_resource(ResourceArn=arn, Tags=pairs(k7="third", another="x"))
    found = tags_of(client, arn)
    assert len(found) == 50
    assert (found["k7"], found["k8"]) == ("second", "first")


def test_a_stream_has_tags_of_its_own(client: Any, arn: str) -> None:
    client.tag_resource(ResourceArn=arn, Tags=pairs(of="table"))
    name = arn.partition("/")[2]
    settings = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    stream = client.update_table(TableName=name, StreamSpecification=settings)["TableDescription"]["LatestStreamArn"]
    assert tags_of(client, stream) == {}
    client.tag_resource(ResourceArn=stream, Tags=pairs(of="stream", team="blue"))
    client.untag_resource(ResourceArn=stream, TagKeys=["team"])
    assert tags_of(client, stream) == {"of": "stream"}
    assert tags_of(client, arn) == {"of": "table"}


def test_arns_that_name_no_table_here(client: Any, arn: str) -> None:
    name = arn.partition("/")[2]
    expected = {
        "": ("ValidationException", "Invalid TableArn"),
        name: ("ValidationException", f"ARNs must start with 'arn:': {name}"),
        arn.replace(name, missing := unique("nowhere")): (
            "ResourceNotFoundException",
            f"Requested resource not found: ResourceArn: {arn.replace(name, missing)} not found",
        ),
        arn.replace("us-east-1", "eu-north-1"): (
            "ValidationException",
            "Invalid TableArn: Invalid ResourceArn provided as input ",
        ),
        arn.replace(arn.split(":")[4], "999999999999"): ("AccessDeniedException", "Access is denied"),
        "arn:aws:dynamodb:eu-north-1:999999999999:table/any": ("AccessDeniedException", "Access is denied"),
        "arn:aws:s3:::bucket": ("AccessDeniedException", "Access is denied"),
        f"{arn}/index/by-date": ("ValidationException", "only table or stream is accepted"),
        f"{arn}/stream/2000-01-01T00:00:00.000": (
            "ResourceNotFoundException",
            f"Requested resource not found: ResourceArn: {arn}/stream/2000-01-01T00:00:00.000 not found",
        ),
        "arn:aws:s3:::a-bucket": ("AccessDeniedException", "Access is denied"),
        f"{arn}/backup/01": ("ValidationException", "Provided Arn is not a DynamoDB resource arn: "),
    }
    calls: list[Any] = [
        lambda arn: client.list_tags_of_resource(ResourceArn=arn),
        lambda arn: client.tag_resource(ResourceArn=arn, Tags=pairs(a="b")),
        lambda arn: client.untag_resource(ResourceArn=arn, TagKeys=["a"]),
    ]
    for given, (code, message) in expected.items():
        for call in calls:
            with refused(code, message):
                call(given)


def test_a_wrong_arn_is_told_before_an_empty_list_and_that_before_a_missing_table(client: Any, arn: str) -> None:
    name = arn.partition("/")[2]
    empty = "Atleast one Tag{} needs to be provided as Input."
    for given, message in ((name, "ARNs must start with 'arn:'"), (arn.replace(name, unique("nowhere")), empty)):
        with invalid(message.format("")):
            client.tag_resource(ResourceArn=given, Tags=[])
        with invalid(message.format(" Key")):
            client.untag_resource(ResourceArn=given, TagKeys=[])
