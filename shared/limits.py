"""Every bound of the system, units last. Sources: DynamoDB "Quotas" and "Constraints" pages unless said otherwise."""

# Items and attribute values
item_bytes_max = 400 * 1024
nesting_levels_max = 32
operand_levels_max = 33  # of nesting, in transactions' expression values and statements' parameters; as observed
newer_words_levels_max = 62  # of nesting; of deeper requests the service tells in its older words, as observed
number_digits_max = 38
number_exponent_max = 125
number_exponent_min = -130
partition_key_bytes_max = 2048
sort_key_bytes_max = 1024
attribute_name_bytes_max = 65_535
key_attribute_name_chars_max = 255

# Requests
request_body_bytes_max = 16 * 1024 * 1024
drained_bytes_max = 64 * 1024 * 1024  # of a refused body, read and dropped so that its client sees the refusal
drained_s_max = 10.0
batch_get_keys_max = 100
batch_write_requests_max = 25
batch_reply_bytes_max = 16 * 1024 * 1024
page_bytes_max = 1024 * 1024
transaction_actions_max = 100
transaction_bytes_max = 4 * 1024 * 1024  # of a request's items, keys and values; of the items that a reply holds
transaction_token_chars_max = 36
transaction_token_age_s = 10 * 60
scan_segments_max = 1_000_000
list_tables_max = 100

# Tables
table_name_chars_min = 3
table_name_chars_max = 255
tables_per_region_max = 2_500
local_indexes_max = 5
global_indexes_max = 20
index_key_attributes_max = 4  # of each kind
projected_attributes_of_index_max = 20
projected_attributes_of_table_max = 100
projected_attribute_name_chars_max = 255
item_collection_bytes_max = 10 * 1024**3
capacity_units_told_max = 1_000_000_000_000  # what is above is no number of units at all
account_capacity_units_max = 80_000
table_capacity_units_max = 40_000
capacity_decreases_max = 4  # on a UTC day; further ones take their time
on_demand_read_units = 12_000  # what an on-demand table serves from the start
on_demand_write_units = 4_000
tags_max = 50
tag_key_chars_max = 128
tag_value_chars_max = 256
policy_bytes_max = 20 * 1024
partitions_default = 4  # of an on-demand table, and at most of a provisioned one
partition_read_units = 3_000
partition_write_units = 1_000
partitions_max = 256
slots = 65_536

# Regions and versions (semantics.md: 48 bits of milliseconds, 16 bits of counter; a region is 1..255)
region_number_max = 255
timestamp_counter_bits = 16
clock_drift_max_ms = 500
clock_drift_refuse_ms = 3_600_000

# Change log, feed and replication
change_log_age_min_s = 24 * 3600
tombstone_age_min_s = 24 * 3600
horizon_age_max_s = 120.0  # what was said earlier than that is asked again
horizon_interval_s = 20.0  # how often a link that is at rest is asked whether somebody wants a horizon
horizons_wanted_max = 1_000
feed_ring_bytes_max = 32 * 1024 * 1024
feed_reply_bytes_max = 4 * 1024 * 1024
feed_reply_interval_s = 0.02
feed_wait_s_max = 20.0
heartbeat_interval_s = 1.0
snapshot_page_bytes_max = 2 * 1024 * 1024

# Streams
stream_age_max_s = 24 * 3600  # of records, and of a stream once it is disabled
shard_iterator_age_max_s = 15 * 60
list_streams_max = 100
describe_stream_shards_max = 100
stream_records_max = 1_000
stream_records_bytes_max = 1024 * 1024
timestamp_s_max = 2**40
stream_changes_max = 4_000  # looked at for one answer, also those that make no record

# Storage
write_group_max = 256
write_gather_s = 0.003
open_partitions_max = 256
scan_slice_rows_max = 256
index_slice_rows_max = 256  # of filling or removing an index
dead_letters_counted_max = 1_000  # when a file is opened; some keep their whole record in the table that is counted
trim_partitions_max = 64
trim_rows_max = 5_000
tombstones_per_job_max = 256
tombstone_jobs_max = 16  # of one partition in one turn
expiry_interval_s = 2.0
expiry_age_max_s = 5 * 365 * 24 * 3600  # a time to live that is longer ago is taken for something else
expiry_patience_s = 30  # for the region that wrote an item last to expire it itself
expiry_looks_max = 256  # files in one turn
expiries_per_job_max = 128
expiry_jobs_max = 16  # of one partition in one turn
transactions_per_round_max = 32
transaction_round_bytes_max = 16 * 1024 * 1024  # of decided items; a round that has more takes in nobody else
transaction_retry_s = 0.5
transactions_forgotten_per_job_max = 4_000

# Expressions
expression_bytes_max = 4096
substitutions_bytes_max = 2 * 1024 * 1024  # of a request's expression names and values together
expression_operators_max = 300  # comparators, AND, OR, NOT, BETWEEN, IN, + and - and functions
in_operands_max = 100
placeholder_bytes_max = 255
path_levels_max = 32
list_index_max = 2**32 - 2
statement_list_index_max = 2**31 - 1
cached_expressions_max = 256  # parsed trees kept of each kind of expression

# Statements of PartiQL
statement_chars_max = 8192
long_statement_chars_min = 1024
cached_long_statements_max = 32  # parsed, of that length or more; of shorter ones as many as of expressions
statement_levels_max = 64  # of nesting; DynamoDB tells none, values and paths have bounds of their own
next_token_chars_max = 32_768
batch_statements_max = 25
statement_reads_max = 50  # that a condition is taken apart into
statement_items_max = 10  # in a page of a SELECT that names several keys

assert partitions_default <= partitions_max <= slots
assert item_bytes_max < page_bytes_max < request_body_bytes_max <= batch_reply_bytes_max
assert feed_reply_bytes_max <= feed_ring_bytes_max
assert item_bytes_max * 2 < feed_reply_bytes_max, "the largest change must fit into one reply"
assert clock_drift_max_ms < clock_drift_refuse_ms < tombstone_age_min_s * 1000
assert horizon_interval_s * 2 < horizon_age_max_s
assert stream_age_max_s <= change_log_age_min_s, "the log keeps what streams show"
assert stream_records_max <= stream_changes_max
