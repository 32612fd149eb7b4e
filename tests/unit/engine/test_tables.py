"""Tables in a region: states while a change is said to be under way, what a restart keeps, what other regions get."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from shared.clock import SystemClock
from tests.unit.engine.regions import InProcessRegion, WireError, add_replica, carry, opened

policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"dynamodb:*","Resource":"*"}]}'
by_text = {
    "IndexName": "by-text",
    "KeySchema": [{"AttributeName": "text", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}
text_attribute = [{"AttributeName": "text", "AttributeType": "S"}]


class AheadClock(SystemClock):
    """Shows the time plus what a test lets pass."""

    passed_s = 0.0

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.passed_s


@pytest.fixture
def clock() -> AheadClock:
    return AheadClock()


async def described(region: InProcessRegion, name: str = "orders") -> dict[str, Any]:
    answer: dict[str, Any] = (await region.call("DescribeTable", TableName=name))["Table"]
    return answer


async def test_a_table_that_is_creating_takes_nothing_yet(tmp_path: Path) -> None:
    async with opened(tmp_path, table_delay_s=60.0) as region:
        await region.create_table("orders")
        assert (await described(region))["TableStatus"] == "CREATING"
        with pytest.raises(WireError, match="ResourceNotFoundException"):
            await region.put("orders", "a", "x")
        for change in (
            region.create_table("orders"),
            region.call("DeleteTable", TableName="orders"),
            region.call("UpdateTable", TableName="orders", DeletionProtectionEnabled=True),
        ):
            with pytest.raises(WireError, match="still in use: Table is being created: orders"):
                await change


async def test_a_table_is_there_when_its_time_is_over(tmp_path: Path) -> None:
    async with opened(tmp_path, table_delay_s=0.01) as region:
        await region.create_table("orders")
        is_over = asyncio.Event()
        asyncio.get_running_loop().call_later(0.02, is_over.set)
        await is_over.wait()
        assert (await described(region))["TableStatus"] == "ACTIVE"
        await region.put("orders", "a", "x")


async def test_an_update_lasts_and_keeps_others_out(tmp_path: Path, clock: AheadClock) -> None:
    async with opened(tmp_path) as region:
        await region.create_table("orders")
    async with opened(tmp_path, clock=clock, table_delay_s=60.0) as slow:
        units = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
        change = {"TableName": "orders", "BillingMode": "PROVISIONED", "ProvisionedThroughput": units}
        await slow.call("UpdateTable", **change)
        assert (await described(slow))["TableStatus"] == "UPDATING"
        await slow.put("orders", "a", "x")
        with pytest.raises(WireError, match=r"Table IOPS are currently being updated\. Table: orders"):
            await slow.call("UpdateTable", **change)
        with pytest.raises(WireError, match="Table: orders is in the process of being updated"):
            await slow.call("DeleteTable", TableName="orders")
        answer = await slow.call("UpdateTable", TableName="orders", DeletionProtectionEnabled=True)
        assert answer["TableDescription"]["TableStatus"] == "UPDATING"
        clock.passed_s += 61.0
        assert (await described(slow))["TableStatus"] == "ACTIVE"


async def test_an_index_is_under_way_as_long_as_its_table(tmp_path: Path, clock: AheadClock) -> None:
    """Whoever waits for an index changes the table again: Terraform replaces several, one after the other."""

    async def state() -> tuple[str, list[str]]:
        table = await described(slow)
        return table["TableStatus"], [each["IndexStatus"] for each in table.get("GlobalSecondaryIndexes", ())]

    async def until_built() -> None:
        while True:
            with suppress(WireError):
                await slow.call("Scan", TableName="orders", IndexName="by-text")
                return
            await asyncio.sleep(0.001)  # in a loop that never rests, writers' threads would hardly get their turn

    async def until_gone() -> None:
        while True:
            if await state() == ("ACTIVE", []):
                return
            await asyncio.sleep(0.001)

    async with opened(tmp_path) as region:
        await region.create_table("orders")
    async with opened(tmp_path, clock=clock, table_delay_s=60.0) as slow:
        update: dict[str, Any] = {"TableName": "orders", "AttributeDefinitions": text_attribute}
        await slow.call("UpdateTable", **update, GlobalSecondaryIndexUpdates=[{"Create": by_text}])
        await until_built()
        assert await state() == ("UPDATING", ["CREATING"])
        clock.passed_s += 61.0
        assert await state() == ("ACTIVE", ["ACTIVE"])
        await slow.call("UpdateTable", **update, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-text"}}])
        assert await state() == ("UPDATING", ["DELETING"])
        clock.passed_s += 61.0
        await until_gone()


async def test_a_deletion_is_shown_until_its_time_is_over(tmp_path: Path, clock: AheadClock) -> None:
    async with opened(tmp_path) as region:
        await region.create_table("orders")
    async with opened(tmp_path, clock=clock, table_delay_s=60.0) as slow:
        await slow.call("DeleteTable", TableName="orders")
        assert (await described(slow))["TableStatus"] == "DELETING"
        assert (await slow.call("ListTables"))["TableNames"] == ["orders"]
        for operation, message in (
            (slow.create_table("orders"), "Table already exists: orders"),
            (slow.call("DeleteTable", TableName="orders"), "still in use: Table is being deleted: orders"),
            (
                slow.call("UpdateTable", TableName="orders", DeletionProtectionEnabled=True),
                "still in use: Table is being deleted: orders",
            ),
            (
                slow.call("DescribeTimeToLive", TableName="orders"),
                "Cannot describe time to live while table is in DELETING state",
            ),
        ):
            with pytest.raises(WireError, match=message):
                await operation
        clock.passed_s += 61.0
        with pytest.raises(WireError, match="Requested resource not found: Table: orders not found"):
            await described(slow)
        assert (await slow.call("ListTables"))["TableNames"] == []


async def test_what_a_replica_has_for_itself_survives_a_restart_and_goes_with_the_table(tmp_path: Path) -> None:
    async with opened(tmp_path) as region:
        await region.create_table("orders")
        arn = (await described(region))["TableArn"]
        await region.call("UpdateTable", TableName="orders", DeletionProtectionEnabled=True)
        await region.call("UpdateTable", TableName="orders", TableClass="STANDARD_INFREQUENT_ACCESS")
        revision = (await region.call("PutResourcePolicy", ResourceArn=arn, Policy=policy))["RevisionId"]
        await region.call("UpdateContributorInsights", TableName="orders", ContributorInsightsAction="ENABLE")
    async with opened(tmp_path) as region:
        kept = await described(region)
        assert kept["DeletionProtectionEnabled"] is True
        assert kept["TableClassSummary"]["TableClass"] == "STANDARD_INFREQUENT_ACCESS"
        assert await region.call("GetResourcePolicy", ResourceArn=arn) == {"Policy": policy, "RevisionId": revision}
        insights = await region.call("DescribeContributorInsights", TableName="orders")
        assert insights["ContributorInsightsStatus"] == "ENABLED"
        await region.call("UpdateTable", TableName="orders", DeletionProtectionEnabled=False)
        await region.call("DeleteTable", TableName="orders")
        await region.create_table("orders")
        with pytest.raises(WireError, match="PolicyNotFoundException"):
            await region.call("GetResourcePolicy", ResourceArn=arn)
    async with opened(tmp_path) as region:
        assert (await region.call("ListTagsOfResource", ResourceArn=arn))["Tags"] == []


async def test_tags_stay_in_their_region_and_settings_of_replicas_are_seen_in_all(tmp_path: Path) -> None:
    async with opened(tmp_path, "here") as here, opened(tmp_path, "there") as there:
        await here.create_table("orders")
        arn = (await described(here))["TableArn"]
        await here.call("TagResource", ResourceArn=arn, Tags=[{"Key": "team", "Value": "blue"}])
        await here.call("UpdateTable", TableName="orders", DeletionProtectionEnabled=True)
        await here.call("UpdateTable", TableName="orders", OnDemandThroughput={"MaxReadRequestUnits": 100})
        await add_replica("orders", here, there)
        copied = await described(there)
        assert copied["OnDemandThroughput"] == {"MaxReadRequestUnits": 100}
        assert copied["DeletionProtectionEnabled"] is False
        assert copied["TableArn"] == arn.replace(":here:", ":there:")
        assert (await there.call("ListTagsOfResource", ResourceArn=copied["TableArn"]))["Tags"] == []
        override = {
            "RegionName": "there",
            "TableClassOverride": "STANDARD_INFREQUENT_ACCESS",
            "OnDemandThroughputOverride": {"MaxReadRequestUnits": 7},
        }
        await here.call("UpdateTable", TableName="orders", ReplicaUpdates=[{"Update": override}])
        await carry(here, there)
        [replica] = (await described(here))["Replicas"]
        assert replica["OnDemandThroughputOverride"] == {"MaxReadRequestUnits": 7}
        assert replica["ReplicaTableClassSummary"]["TableClass"] == "STANDARD_INFREQUENT_ACCESS"
        assert (await described(there))["Replicas"] == [{"RegionName": "here", "ReplicaStatus": "ACTIVE"}]
        assert (await described(there))["TableClassSummary"]["TableClass"] == "STANDARD_INFREQUENT_ACCESS"
        assert "TableClassSummary" not in await described(here)


async def test_the_account_is_the_one_that_was_set(tmp_path: Path) -> None:
    async with opened(tmp_path, account="123456789012") as region:
        await region.create_table("orders")
        arn = (await described(region))["TableArn"]
        assert arn == "arn:aws:dynamodb:here:123456789012:table/orders"
        assert (await region.call("DescribeTable", TableName=arn))["Table"]["TableName"] == "orders"
        with pytest.raises(WireError, match="AccessDeniedException"):
            await region.call("DescribeTable", TableName=arn.replace("123456789012", "000000000000"))
