// Dynamoose makes its own table with an index, waits for it, and maps documents.
import assert from "node:assert/strict";
import dynamoose from "dynamoose";

const [endpoint, region, table] = process.argv.slice(2);
dynamoose.aws.ddb.set(new dynamoose.aws.ddb.DynamoDB({
  endpoint, region,
  credentials: { accessKeyId: "any", secretAccessKey: "any" },
}));
const schema = new dynamoose.Schema({
  id: { type: String, hashKey: true },
  at: { type: Number, rangeKey: true },
  breed: { type: String, index: { name: "breed-index", type: "global", rangeKey: "at", throughput: "ON_DEMAND" } },
  owners: { type: Set, schema: [String] },
  address: { type: Object, schema: { city: String } },
  expires: Number,
}, { timestamps: true });
const Dog = dynamoose.model("Dog", schema);
new dynamoose.Table(table, [Dog], {
  throughput: "ON_DEMAND", expires: { ttl: 1000 * 60 * 60, attribute: "expires" },
  waitForActive: { enabled: true, check: { timeout: 20000, frequency: 500 } },
});

await Dog.create({ id: "rex", at: 1, breed: "collie", owners: new Set(["ada"]), address: { city: "Oslo" } });
await Dog.batchPut([2, 3, 4].map((at) => ({ id: "rex", at, breed: at === 3 ? "poodle" : "collie" })));
await assert.rejects(Dog.create({ id: "rex", at: 1 }));
assert.deepEqual((await Dog.get({ id: "rex", at: 1 })).owners, new Set(["ada"]));
assert.deepEqual((await Dog.query("id").eq("rex").where("at").between(2, 4).sort("descending").exec()).map(({ at }) => at), [4, 3, 2]);
assert.deepEqual((await Dog.query("breed").eq("collie").using("breed-index").exec()).map(({ at }) => at), [1, 2, 4]);
assert.equal((await Dog.scan("breed").contains("ood").count().exec()).count, 1);
await Dog.update({ id: "rex", at: 2 }, { $SET: { breed: "mix" }, $ADD: { expires: 5 } });
assert.equal((await Dog.get({ id: "rex", at: 2 })).breed, "mix");
await dynamoose.transaction([Dog.transaction.delete({ id: "rex", at: 3 }), Dog.transaction.create({ id: "max", at: 1 })]);
assert.deepEqual((await Dog.batchGet([{ id: "rex", at: 3 }, { id: "max", at: 1 }])).map(({ id }) => id), ["max"]);
await Dog.delete({ id: "max", at: 1 });
assert.equal(await Dog.get({ id: "max", at: 1 }), undefined);
