// ElectroDB: one table for two entities that share an index, as its documentation has it.
import assert from "node:assert/strict";
import { DynamoDBClient, CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { Entity, Service } from "electrodb";

const [endpoint, region, table] = process.argv.slice(2);
const client = new DynamoDBClient({
  endpoint, region,
  credentials: { accessKeyId: "any", secretAccessKey: "any" },
});
await client.send(new CreateTableCommand({
  TableName: table, BillingMode: "PAY_PER_REQUEST",
  AttributeDefinitions: ["pk", "sk", "gsi1pk", "gsi1sk"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
  KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }, { AttributeName: "sk", KeyType: "RANGE" }],
  GlobalSecondaryIndexes: [{
    IndexName: "gsi1pk-gsi1sk-index", Projection: { ProjectionType: "ALL" },
    KeySchema: [{ AttributeName: "gsi1pk", KeyType: "HASH" }, { AttributeName: "gsi1sk", KeyType: "RANGE" }],
  }],
}));

const index = (pk, sk) => ({ index: "gsi1pk-gsi1sk-index", collection: "assignments", pk: { field: "gsi1pk", composite: pk }, sk: { field: "gsi1sk", composite: sk } });
const employee = new Entity({
  model: { entity: "employee", version: "1", service: "company" },
  attributes: { id: { type: "string" }, team: { type: "string", required: true }, name: { type: "string" }, salary: { type: "number" }, since: { type: "string" } },
  indexes: {
    employee: { pk: { field: "pk", composite: ["id"] }, sk: { field: "sk", composite: [] } },
    byTeam: index(["team"], ["since"]),
  },
}, { table, client });
const task = new Entity({
  model: { entity: "task", version: "1", service: "company" },
  attributes: { id: { type: "string" }, team: { type: "string" }, since: { type: "string" }, points: { type: "number" } },
  indexes: {
    task: { pk: { field: "pk", composite: ["id"] }, sk: { field: "sk", composite: [] } },
    byTeam: index(["team"], ["since"]),
  },
}, { table, client });
const company = new Service({ employee, task });

await employee.put([1, 2, 3].map((n) => ({ id: `e${n}`, team: n < 3 ? "red" : "blue", name: `n${n}`, salary: 100 * n, since: `2020-0${n}` }))).go();
await task.create({ id: "t1", team: "red", since: "2021-01", points: 5 }).go();
await assert.rejects(task.create({ id: "t1", team: "red", since: "2021-01" }).go());
await employee.patch({ id: "e1" }).add({ salary: 50 }).set({ name: "renamed" }).where(({ salary }, { lt }) => lt(salary, 200)).go();
assert.equal((await employee.get({ id: "e1" }).go({ consistent: true })).data.salary, 150);
const { data } = await company.collections.assignments({ team: "red" }).go();
assert.deepEqual([data.employee.map((each) => each.id), data.task.map((each) => each.id)], [["e1", "e2"], ["t1"]]);
const later = await employee.query.byTeam({ team: "red" }).gte({ since: "2020-02" }).where(({ salary }, { between }) => between(salary, 1, 500)).go({ order: "desc" });
assert.deepEqual(later.data.map((each) => each.id), ["e2"]);
await company.transaction.write(({ employee, task }) => [
  employee.patch({ id: "e2" }).set({ team: "blue" }).commit(), task.delete({ id: "t1" }).commit(),
]).go();
assert.equal((await employee.query.byTeam({ team: "blue" }).go()).data.length, 2);
assert.equal((await task.scan.go()).data.length, 0);
await employee.delete([{ id: "e1" }, { id: "e2" }]).go();
assert.deepEqual((await employee.get([{ id: "e1" }, { id: "e3" }]).go()).data.map((each) => each.id), ["e3"]);
