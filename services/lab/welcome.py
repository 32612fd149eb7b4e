"""What `lab up` says when the lab is ready: where everything is, and what to try first."""

import shlex
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from services.lab.layout import LabFolder, default_folder
from services.lab.record import LabRecord
from services.lab.text import aligned

table_name = "greetings"
_script = Path(sys.executable).with_name("meridian")  # it need not be on the path
_command = shlex.quote(str(_script)) if _script.exists() else "meridian"


def welcome(record: LabRecord, folder: LabFolder, *, is_detached: bool) -> str:
    endpoints = aligned(
        ("REGION", "ENDPOINT", "CONSOLE"),
        [(each.region, each.address, f"{each.address}/console") for each in record.regions],
    )
    keys = record.credentials
    flag = _data_flag(folder)
    return f"""\
The lab is ready: {len(record.regions)} regions on this machine, {record.feed} feed, data in {folder.path}

{endpoints}

access key id      {keys.access_key_id}
secret access key  {keys.secret_access_key}
operator token     {record.token}

Write in one region and read in another; paste this into a second terminal:

{first_command(record)}

Then try
  {_command} lab status{flag}   how far behind each link is
  {_command} lab load{flag}     writes in every region, with a summary of lag
  {_command} lab --help{" " * len(flag)}   cut links, kill and start processes, compare regions

{f"{_command} lab down{flag}" if is_detached else "Ctrl-C"} stops the lab; its data stays.
"""


def farewell(folder: LabFolder) -> str:
    return f"The lab has stopped. Its data stays in {folder.path}."


def first_command(record: LabRecord) -> str:
    """With boto3 where this Python has it, or else with the `aws` command; the last line reads over plain HTTP."""
    first, last = record.regions[0], record.regions[-1]
    use_aws = find_spec("boto3") is None and shutil.which("aws") is not None
    write = _with_aws(record) if use_aws else _with_boto3(record)
    return f"{write}\ncurl {last.address}/v1/tables/{table_name}/items/hello   # written in {first.region}"


def _with_boto3(record: LabRecord) -> str:
    first, others = record.regions[0], record.regions[1:]
    keys = record.credentials
    return f"""\
{shlex.quote(sys.executable)} - <<'END'
import boto3
dynamodb = boto3.resource("dynamodb", "{first.region}", endpoint_url="{first.address}",
    aws_access_key_id="{keys.access_key_id}", aws_secret_access_key="{keys.secret_access_key}")
table = dynamodb.Table("{table_name}")
if table not in dynamodb.tables.all():
    dynamodb.create_table(TableName=table.name, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{{"AttributeName": "id", "AttributeType": "S"}}],
        KeySchema=[{{"AttributeName": "id", "KeyType": "HASH"}}])
    for region in {[each.region for each in others]}:
        table.meta.client.update_table(TableName=table.name, ReplicaUpdates=[{{"Create": {{"RegionName": region}}}}])
        table.meta.client.get_waiter("table_exists").wait(TableName=table.name, WaiterConfig={{"Delay": 1}})
table.put_item(Item={{"id": "hello", "text": "from {first.region}"}})
END"""


def _with_aws(record: LabRecord) -> str:
    first, others = record.regions[0], record.regions[1:]
    keys = record.credentials
    return f"""\
export AWS_ACCESS_KEY_ID={keys.access_key_id} AWS_SECRET_ACCESS_KEY={keys.secret_access_key} AWS_PAGER=
db() {{ aws dynamodb --region {first.region} --endpoint-url {first.address} "$@" --table-name {table_name}; }}
db create-table --billing-mode PAY_PER_REQUEST \\
    --attribute-definitions AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH
for region in {" ".join(each.region for each in others)}; do
    db update-table --replica-updates "Create={{RegionName=$region}}"
    until db describe-table --query Table.TableStatus | grep -q ACTIVE; do sleep 1; done
done
db put-item --item '{{"id": {{"S": "hello"}}, "text": {{"S": "from {first.region}"}}}}'"""


def _data_flag(folder: LabFolder) -> str:
    is_default = folder.path == default_folder.absolute()
    return "" if is_default else f" --data {shlex.quote(str(folder.path))}"
