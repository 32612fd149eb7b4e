// The AWS SDK for JavaScript v3 with its document client: a shop's table with an index, from its making to its end.
import assert from "node:assert/strict";
import {
  DynamoDBClient, CreateTableCommand, DeleteTableCommand, DescribeTableCommand, UpdateTimeToLiveCommand,
  TagResourceCommand, ListTagsOfResourceCommand, waitUntilTableExists, waitUntilTableNotExists,
  ConditionalCheckFailedException, TransactionCanceledException,
} from "@aws-sdk/client-dynamodb";
import {
  DynamoDBDocumentClient, PutCommand, GetCommand, UpdateCommand, DeleteCommand, QueryCommand, BatchWriteCommand,
  BatchGetCommand, TransactWriteCommand, TransactGetCommand, ExecuteStatementCommand, paginateQuery, paginateScan,
} from "@aws-sdk/lib-dynamodb";

const [endpoint, region, TableName] = process.argv.slice(2);
const client = new DynamoDBClient({
  endpoint, region,
  credentials: { accessKeyId: "any", secretAccessKey: "any" },
});
const documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });

await client.send(new CreateTableCommand({
  TableName, BillingMode: "PAY_PER_REQUEST",
  AttributeDefinitions: ["pk", "sk", "status"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
  KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }, { AttributeName: "sk", KeyType: "RANGE" }],
  GlobalSecondaryIndexes: [{
    IndexName: "by-status",
    KeySchema: [{ AttributeName: "status", KeyType: "HASH" }, { AttributeName: "sk", KeyType: "RANGE" }],
    Projection: { ProjectionType: "ALL" },
  }],
}));
await waitUntilTableExists({ client, maxWaitTime: 20, minDelay: 1 }, { TableName });

await documents.send(new PutCommand({ TableName, Item: { pk: "customer#1", sk: "profile", name: "Ada", tags: new Set(["a", "b"]), note: undefined } }));
const { Item } = await documents.send(new GetCommand({ TableName, Key: { pk: "customer#1", sk: "profile" }, ConsistentRead: true }));
assert.deepEqual(Item, { pk: "customer#1", sk: "profile", name: "Ada", tags: new Set(["a", "b"]) });

await assert.rejects(
  documents.send(new PutCommand({ TableName, Item: { pk: "customer#1", sk: "profile" }, ConditionExpression: "attribute_not_exists(pk)" })),
  ConditionalCheckFailedException,
);

const orders = Array.from({ length: 60 }, (_, n) => ({
  pk: "customer#1", sk: `order#${String(n).padStart(3, "0")}`, status: n % 3 ? "open" : "sent", total: n * 1.25,
  lines: [{ sku: "x", count: n }], blob: new Uint8Array([n, 255]),
}));
for (let at = 0; at < orders.length; at += 25) {
  const requests = orders.slice(at, at + 25).map((Item) => ({ PutRequest: { Item } }));
  const { UnprocessedItems } = await documents.send(new BatchWriteCommand({ RequestItems: { [TableName]: requests } }));
  assert.deepEqual(UnprocessedItems, {});
}
const { Responses } = await documents.send(new BatchGetCommand({
  RequestItems: { [TableName]: { Keys: orders.slice(0, 5).map(({ pk, sk }) => ({ pk, sk })) } },
}));
assert.equal(Responses[TableName].length, 5);

const { Attributes } = await documents.send(new UpdateCommand({
  TableName, Key: { pk: "customer#1", sk: "order#001" }, ReturnValues: "UPDATED_NEW",
  UpdateExpression: "SET #t = #t + :more, #l[0].#c = :count ADD visits :one REMOVE #b",
  ExpressionAttributeNames: { "#t": "total", "#l": "lines", "#c": "count", "#b": "blob" },
  ExpressionAttributeValues: { ":more": 0.75, ":count": 9, ":one": 1 },
}));
assert.equal(Attributes.total, 2);
assert.equal(Attributes.visits, 1);

let found = [];
const query = { TableName, KeyConditionExpression: "pk = :p AND begins_with(sk, :o)", ExpressionAttributeValues: { ":p": "customer#1", ":o": "order#" }, Limit: 7 };
for await (const page of paginateQuery({ client: documents }, query)) found.push(...page.Items);
assert.deepEqual(found.map(({ sk }) => sk), orders.map(({ sk }) => sk));

found = [];
const open = {
  TableName, IndexName: "by-status", KeyConditionExpression: "#s = :s", ExpressionAttributeNames: { "#s": "status" },
  ExpressionAttributeValues: { ":s": "open" }, ScanIndexForward: false, Limit: 9,
};
for await (const page of paginateQuery({ client: documents }, open)) found.push(...page.Items);
assert.deepEqual(found.map(({ sk }) => sk), orders.filter(({ status }) => status === "open").map(({ sk }) => sk).reverse());

let scanned = 0;
for (const Segment of [0, 1, 2])
  for await (const page of paginateScan({ client: documents }, { TableName, Segment, TotalSegments: 3 })) scanned += page.Count;
assert.equal(scanned, 61);

await documents.send(new TransactWriteCommand({ TransactItems: [
  { Update: { TableName, Key: { pk: "customer#1", sk: "order#002" }, UpdateExpression: "SET #s = :s", ExpressionAttributeNames: { "#s": "status" }, ExpressionAttributeValues: { ":s": "sent" } } },
  { Put: { TableName, Item: { pk: "ledger", sk: "order#002", amount: 2.5 } } },
  { ConditionCheck: { TableName, Key: { pk: "customer#1", sk: "profile" }, ConditionExpression: "attribute_exists(pk)" } },
] }));
await assert.rejects(
  documents.send(new TransactWriteCommand({ TransactItems: [
    { Delete: { TableName, Key: { pk: "ledger", sk: "order#002" } } },
    { ConditionCheck: { TableName, Key: { pk: "nobody", sk: "profile" }, ConditionExpression: "attribute_exists(pk)" } },
  ] })),
  (error) => error instanceof TransactionCanceledException && error.CancellationReasons[1].Code === "ConditionalCheckFailed",
);
const read = await documents.send(new TransactGetCommand({ TransactItems: [
  { Get: { TableName, Key: { pk: "ledger", sk: "order#002" } } }, { Get: { TableName, Key: { pk: "nobody", sk: "x" } } },
] }));
assert.deepEqual(read.Responses.map((each) => each.Item?.amount), [2.5, undefined]);

const partiql = await documents.send(new ExecuteStatementCommand({ Statement: `SELECT amount FROM "${TableName}" WHERE pk = ? AND sk = ?`, Parameters: ["ledger", "order#002"] }));
assert.deepEqual(partiql.Items, [{ amount: 2.5 }]);

const gone = await documents.send(new DeleteCommand({ TableName, Key: { pk: "ledger", sk: "order#002" }, ReturnValues: "ALL_OLD" }));
assert.equal(gone.Attributes.amount, 2.5);
const count = await documents.send(new QueryCommand({ ...query, Limit: undefined, ExclusiveStartKey: undefined, Select: "COUNT", FilterExpression: "#t > :min", ExpressionAttributeNames: { "#t": "total" }, ExpressionAttributeValues: { ...query.ExpressionAttributeValues, ":min": 60 } }));
assert.deepEqual([count.Count, count.ScannedCount], [11, 60]);

const { Table } = await client.send(new DescribeTableCommand({ TableName }));
await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: { AttributeName: "expires", Enabled: true } }));
await client.send(new TagResourceCommand({ ResourceArn: Table.TableArn, Tags: [{ Key: "team", Value: "shop" }] }));
assert.deepEqual((await client.send(new ListTagsOfResourceCommand({ ResourceArn: Table.TableArn }))).Tags, [{ Key: "team", Value: "shop" }]);
await client.send(new DeleteTableCommand({ TableName }));
await waitUntilTableNotExists({ client, maxWaitTime: 20, minDelay: 1 }, { TableName });
