"""PynamoDB models: a table with both kinds of index, versions, batches, transactions."""

import sys

from pynamodb.attributes import (
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    VersionAttribute,
)
from pynamodb.connection import Connection
from pynamodb.exceptions import PutError, TransactWriteError, UpdateError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, IncludeProjection, LocalSecondaryIndex
from pynamodb.models import Model
from pynamodb.transactions import TransactGet, TransactWrite

endpoint, place, name = sys.argv[1:]


class ByAuthor(GlobalSecondaryIndex):
    class Meta:
        index_name = "by-author"
        projection = AllProjection()
        read_capacity_units = 1
        write_capacity_units = 1

    author = UnicodeAttribute(hash_key=True)
    views = NumberAttribute(range_key=True)


class ByViews(LocalSecondaryIndex):
    class Meta:
        index_name = "by-views"
        projection = IncludeProjection(["author"])

    forum = UnicodeAttribute(hash_key=True)
    views = NumberAttribute(range_key=True)


class Post(Model):
    class Meta:
        table_name = name
        host = endpoint
        region = place
        aws_access_key_id = "any"
        aws_secret_access_key = "any"
        read_capacity_units = 1
        write_capacity_units = 1

    forum = UnicodeAttribute(hash_key=True)
    subject = UnicodeAttribute(range_key=True)
    author = UnicodeAttribute(null=True)
    views = NumberAttribute(default=0)
    tags = UnicodeSetAttribute(null=True)
    replies = ListAttribute(null=True)
    meta = MapAttribute(null=True)
    version = VersionAttribute()
    by_author = ByAuthor()
    by_views = ByViews()


Post.create_table(wait=True)
assert Post.exists()
with Post.batch_write() as batch:
    for number in range(40):
        batch.save(Post("python", f"s{number:02}", author=f"a{number % 4}", views=100 - number, tags={"x", "y"}))
assert Post.count("python") == 40
most_seen = Post.by_author.query("a1", Post.views > 80, scan_index_forward=False)
assert [post.views for post in most_seen] == [99, 95, 91, 87, 83]
assert [post.subject for post in Post.by_views.query("python", limit=2)] == ["s39", "s38"]

post = Post.get("python", "s00")
post.update(actions=[Post.views.add(5), Post.replies.set([{"text": "hi"}]), Post.meta.set({"pinned": True})])
stale = Post.get("python", "s00")
post.update(actions=[Post.tags.delete({"x"})], condition=Post.tags.contains("x"))
assert post.tags == {"y"}
for write in (stale.save, lambda: stale.update(actions=[Post.views.set(1)])):
    refused = None
    try:
        write()
    except (PutError, UpdateError) as error:
        refused = error.cause_response_code
    assert refused == "ConditionalCheckFailedException", "an older version was written"

connection = Connection(region=place, host=endpoint, aws_access_key_id="any", aws_secret_access_key="any")
with TransactWrite(connection=connection, client_request_token="once") as transaction:
    transaction.save(Post("ops", "new", author="a9"))
    transaction.update(Post("python", "s01"), actions=[Post.views.set(7)], add_version_condition=False)
reasons = []
try:
    with TransactWrite(connection=connection) as transaction:
        transaction.condition_check(Post, "ops", "absent", condition=Post.author.exists())
        transaction.delete(Post("ops", "new"), add_version_condition=False)
except TransactWriteError as error:
    reasons = [reason.code for reason in error.cancellation_reasons if reason is not None]
assert reasons == ["ConditionalCheckFailed"]
with TransactGet(connection=connection) as reading:
    first = reading.get(Post, "ops", "new")
assert first.get().author == "a9"
assert len(list(Post.scan(Post.views < 70, page_size=6))) == 11
assert len(list(Post.batch_get([("python", f"s{number:02}") for number in range(40)]))) == 40
Post.delete_table()
