// The AWS SDK for Java v2 with its enhanced client: mapped orders with a version, an index and a stream.
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.enhanced.dynamodb.DynamoDbEnhancedClient;
import software.amazon.awssdk.enhanced.dynamodb.DynamoDbTable;
import software.amazon.awssdk.enhanced.dynamodb.Expression;
import software.amazon.awssdk.enhanced.dynamodb.Key;
import software.amazon.awssdk.enhanced.dynamodb.TableSchema;
import software.amazon.awssdk.enhanced.dynamodb.extensions.annotations.DynamoDbVersionAttribute;
import software.amazon.awssdk.enhanced.dynamodb.mapper.annotations.DynamoDbBean;
import software.amazon.awssdk.enhanced.dynamodb.mapper.annotations.DynamoDbPartitionKey;
import software.amazon.awssdk.enhanced.dynamodb.mapper.annotations.DynamoDbSecondaryPartitionKey;
import software.amazon.awssdk.enhanced.dynamodb.mapper.annotations.DynamoDbSecondarySortKey;
import software.amazon.awssdk.enhanced.dynamodb.mapper.annotations.DynamoDbSortKey;
import software.amazon.awssdk.enhanced.dynamodb.model.EnhancedGlobalSecondaryIndex;
import software.amazon.awssdk.enhanced.dynamodb.model.QueryConditional;
import software.amazon.awssdk.enhanced.dynamodb.model.ReadBatch;
import software.amazon.awssdk.enhanced.dynamodb.model.WriteBatch;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.CancellationReason;
import software.amazon.awssdk.services.dynamodb.model.ConditionalCheckFailedException;
import software.amazon.awssdk.services.dynamodb.model.ProjectionType;
import software.amazon.awssdk.services.dynamodb.model.Record;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;
import software.amazon.awssdk.services.dynamodb.model.Shard;
import software.amazon.awssdk.services.dynamodb.model.TransactionCanceledException;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

public class EnhancedClient {
    public static void main(String[] arguments) {
        var endpoint = URI.create(arguments[0]);
        var region = Region.of(arguments[1]);
        try (var client = at(endpoint, region, DynamoDbClient.builder()).build();
                var streams = at(endpoint, region, DynamoDbStreamsClient.builder()).build()) {
            var enhanced = DynamoDbEnhancedClient.builder().dynamoDbClient(client).build();
            var orders = enhanced.table(arguments[2], TableSchema.fromBean(Order.class));
            var lines = enhanced.table(arguments[2], TableSchema.fromBean(Line.class));
            make(orders, client);
            mapItems(orders);
            workInBatches(enhanced, lines);
            askInOrder(orders);
            transact(enhanced, orders);
            follow(streams, orders);
            orders.deleteTable();
            client.waiter().waitUntilTableNotExists(request -> request.tableName(orders.tableName()));
            refused(ResourceNotFoundException.class, orders::describeTable);
        }
    }

    static <B extends AwsClientBuilder<B, C>, C> B at(URI endpoint, Region region, B builder) {
        var anyone = AwsBasicCredentials.create("any", "any");
        return builder.endpointOverride(endpoint).region(region)
                .credentialsProvider(StaticCredentialsProvider.create(anyone));
    }

    static void make(DynamoDbTable<Order> orders, DynamoDbClient client) {
        var byStatus = EnhancedGlobalSecondaryIndex.builder().indexName("by-status")
                .projection(projection -> projection.projectionType(ProjectionType.ALL)).build();
        orders.createTable(request -> request.globalSecondaryIndices(byStatus)
                .streamSpecification(stream -> stream.streamEnabled(true).streamViewType("NEW_AND_OLD_IMAGES")));
        client.waiter().waitUntilTableExists(request -> request.tableName(orders.tableName()));
    }

    /** Every kind of attribute comes back, and a version that is not the stored one is refused. */
    static void mapItems(DynamoDbTable<Order> orders) {
        var order = new Order("ada", 1, "open");
        order.setTags(Set.of("a", "b"));
        order.setNotes(Map.of("first", List.of("", "x")));
        order.setBlob(new byte[] {0, -1});
        order.setWeight(0.1);
        orders.putItem(order);
        var stored = orders.getItem(request -> request.key(key("ada", 1)).consistentRead(true));
        same(List.of(order.getTags(), order.getNotes(), order.getWeight(), 1L),
                List.of(stored.getTags(), stored.getNotes(), stored.getWeight(), stored.getVersion()));
        same((byte) -1, stored.getBlob()[1]);

        stored.setStatus("paid");
        same(2L, orders.updateItem(stored).getVersion());
        refused(ConditionalCheckFailedException.class, () -> orders.updateItem(stored));
        var failed = refused(ConditionalCheckFailedException.class, () -> orders.putItem(request -> request
                .item(new Order("ada", 1, "again")).returnValuesOnConditionCheckFailure("ALL_OLD")));
        same("paid", failed.item().get("status").s());
    }

    static void workInBatches(DynamoDbEnhancedClient enhanced, DynamoDbTable<Line> lines) {
        var reads = ReadBatch.builder(Line.class).mappedTableResource(lines);
        for (int from = 0; from < 50; from += 25) {
            var writes = WriteBatch.builder(Line.class).mappedTableResource(lines);
            for (int number = from; number < from + 25; number++) {
                writes.addPutItem(new Line("bob", number, number % 2 == 0 ? "open" : "paid"));
                reads.addGetItem(key("bob", number));
            }
            var result = enhanced.batchWriteItem(request -> request.writeBatches(writes.build()));
            same(List.of(), result.unprocessedPutItemsForTable(lines));
        }
        var read = enhanced.batchGetItem(request -> request.readBatches(reads.build())).resultsForTable(lines);
        same(50L, read.stream().count());
    }

    static void askInOrder(DynamoDbTable<Order> orders) {
        var between = QueryConditional.sortBetween(key("bob", 10), key("bob", 19));
        var backwards = orders.query(request -> request.queryConditional(between).scanIndexForward(false).limit(3));
        same(IntStream.rangeClosed(10, 19).map(number -> 29 - number).boxed().toList(),
                backwards.items().stream().map(Order::getNumber).toList());
        var open = QueryConditional.keyEqualTo(key -> key.partitionValue("open"));
        same(25L, orders.index("by-status").query(request -> request.queryConditional(open).limit(7)).stream()
                .mapToLong(page -> page.items().size()).sum());
        var isPaid = Expression.builder().expression("#s = :s").putExpressionName("#s", "status")
                .putExpressionValue(":s", AttributeValue.fromS("paid")).build();
        same(26L, orders.scan(request -> request.filterExpression(isPaid).limit(9)).items().stream().count());
    }

    static void transact(DynamoDbEnhancedClient enhanced, DynamoDbTable<Order> orders) {
        enhanced.transactWriteItems(request -> request
                .addPutItem(orders, new Order("eve", 1, "open")).addDeleteItem(orders, key("bob", 0)));
        var stale = orders.getItem(key("ada", 1));
        stale.setVersion(9L);
        var cancelled = refused(TransactionCanceledException.class, () -> enhanced.transactWriteItems(request -> request
                .addPutItem(orders, new Order("eve", 2, "open")).addUpdateItem(orders, stale)));
        same(List.of("None", "ConditionalCheckFailed"),
                cancelled.cancellationReasons().stream().map(CancellationReason::code).toList());
        var read = enhanced.transactGetItems(request -> request
                .addGetItem(orders, key("eve", 1)).addGetItem(orders, key("bob", 0)));
        same("open", read.get(0).getItem(orders).getStatus());
        same(null, read.get(1).getItem(orders));
    }

    /** One record for each change that was made: of 52 items, of an update and of a deletion. */
    static void follow(DynamoDbStreamsClient streams, DynamoDbTable<Order> orders) {
        var arn = orders.describeTable().table().latestStreamArn();
        var shards = streams.describeStream(request -> request.streamArn(arn)).streamDescription().shards();
        var names = shards.stream().flatMap(shard -> records(streams, arn, shard).stream())
                .map(Record::eventNameAsString).toList();
        same(List.of(52L, 1L, 1L), List.of("INSERT", "MODIFY", "REMOVE").stream()
                .map(name -> names.stream().filter(name::equals).count()).toList());
    }

    static List<Record> records(DynamoDbStreamsClient streams, String arn, Shard shard) {
        var first = streams.getShardIterator(request -> request
                .streamArn(arn).shardId(shard.shardId()).shardIteratorType("TRIM_HORIZON"));
        return streams.getRecords(request -> request.shardIterator(first.shardIterator())).records();
    }

    static Key key(String customer, int number) {
        return Key.builder().partitionValue(customer).sortValue(number).build();
    }

    static void same(Object expected, Object actual) {
        if (!java.util.Objects.equals(expected, actual)) {
            throw new AssertionError(actual + " instead of " + expected);
        }
    }

    static <E extends RuntimeException> E refused(Class<E> kind, Runnable call) {
        try {
            call.run();
        } catch (RuntimeException refusal) {
            return kind.cast(refusal);
        }
        throw new AssertionError("not refused with " + kind);
    }

    /** An order without a version: batches take no conditions. */
    @DynamoDbBean
    public static class Line {
        private String customer;
        private Integer number;
        private String status;

        public Line() {}

        Line(String customer, int number, String status) {
            this.customer = customer;
            this.number = number;
            this.status = status;
        }

        @DynamoDbPartitionKey
        public String getCustomer() { return customer; }
        public void setCustomer(String customer) { this.customer = customer; }

        @DynamoDbSortKey
        @DynamoDbSecondarySortKey(indexNames = "by-status")
        public Integer getNumber() { return number; }
        public void setNumber(Integer number) { this.number = number; }

        @DynamoDbSecondaryPartitionKey(indexNames = "by-status")
        public String getStatus() { return status; }
        public void setStatus(String status) { this.status = status; }
    }

    @DynamoDbBean
    public static class Order extends Line {
        private Long version;
        private Set<String> tags;
        private Map<String, List<String>> notes;
        private byte[] blob;
        private Double weight;

        public Order() {}

        Order(String customer, int number, String status) { super(customer, number, status); }

        @DynamoDbVersionAttribute
        public Long getVersion() { return version; }
        public void setVersion(Long version) { this.version = version; }

        public Set<String> getTags() { return tags; }
        public void setTags(Set<String> tags) { this.tags = tags; }

        public Map<String, List<String>> getNotes() { return notes; }
        public void setNotes(Map<String, List<String>> notes) { this.notes = notes; }

        public byte[] getBlob() { return blob; }
        public void setBlob(byte[] blob) { this.blob = blob; }

        public Double getWeight() { return weight; }
        public void setWeight(Double weight) { this.weight = weight; }
    }
}
