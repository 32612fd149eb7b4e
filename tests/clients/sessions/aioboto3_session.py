"""aioboto3: the resource layer, many requests at once, and a paginator."""

import asyncio
import sys
from decimal import Decimal

import aioboto3
from boto3.dynamodb.conditions import Attr, Key

endpoint, region, name = sys.argv[1:]
place = {
    "endpoint_url": endpoint,
    "region_name": region,
    "aws_access_key_id": "any",
    "aws_secret_access_key": "any",
}


async def main() -> None:
    session = aioboto3.Session()
    async with session.resource("dynamodb", **place) as dynamodb, session.client("dynamodb", **place) as client:
        table = await dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "device", "AttributeType": "S"},
                {"AttributeName": "at", "AttributeType": "N"},
            ],
            KeySchema=[{"AttributeName": "device", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        )
        await table.wait_until_exists()
        async with table.batch_writer() as batch:
            for at in range(80):
                await batch.put_item(Item={"device": "d1", "at": at, "value": Decimal(at) / 4, "raw": bytes([at])})
        await asyncio.gather(
            *(
                table.update_item(
                    Key={"device": "d1", "at": 0},
                    UpdateExpression="ADD hits :one",
                    ExpressionAttributeValues={":one": 1},
                )
                for _ in range(40)
            )
        )
        assert (await table.get_item(Key={"device": "d1", "at": 0}))["Item"]["hits"] == 40
        found = await table.query(
            KeyConditionExpression=Key("device").eq("d1") & Key("at").between(10, 30),
            FilterExpression=Attr("value").gt(Decimal(5)),
        )
        assert (found["Count"], found["ScannedCount"]) == (10, 21)
        pages = client.get_paginator("scan").paginate(TableName=name, PaginationConfig={"PageSize": 15})
        assert sum([page["Count"] async for page in pages]) == 80
        await table.delete()
        await table.wait_until_not_exists()


asyncio.run(main())
