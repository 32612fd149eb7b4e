"""Every bound of the system, units last. Sources: DynamoDB "Quotas" and "Constraints" pages unless said otherwise."""

# Items and attribute values
item_bytes_max = 400 * 1024
nesting_levels_max = 32
number_digits_max = 38
number_exponent_max = 125
number_exponent_min = -130
partition_key_bytes_max = 2048
sort_key_bytes_max = 1024
attribute_name_bytes_max = 65_535
key_attribute_name_chars_max = 255

# Requests
request_body_bytes_max = 16 * 1024 * 1024
batch_get_keys_max = 100
batch_write_requests_max = 25
batch_reply_bytes_max = 16 * 1024 * 1024
page_bytes_max = 1024 * 1024
scan_segments_max = 1_000_000
list_tables_max = 100

# Tables
table_name_chars_min = 3
table_name_chars_max = 255
tables_per_region_max = 2_500
partitions_default = 4
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
feed_ring_bytes_max = 32 * 1024 * 1024
feed_reply_bytes_max = 4 * 1024 * 1024
feed_reply_interval_s = 0.02
feed_wait_s_max = 20.0
heartbeat_interval_s = 1.0
snapshot_page_bytes_max = 2 * 1024 * 1024

# Storage
write_group_max = 256
write_gather_s = 0.001
open_partitions_max = 256
scan_slice_rows_max = 256
trim_partitions_max = 64
trim_rows_max = 5_000

# Expressions
expression_bytes_max = 4096
expression_operators_max = 300  # comparators, AND, OR, NOT, BETWEEN, IN, + and - and functions
in_operands_max = 100
placeholder_bytes_max = 255
path_levels_max = 32
list_index_max = 2**31 - 1
cached_expressions_max = 256  # parsed trees kept of each kind of expression

assert partitions_default <= partitions_max <= slots
assert item_bytes_max < page_bytes_max < request_body_bytes_max <= batch_reply_bytes_max
assert feed_reply_bytes_max <= feed_ring_bytes_max
assert item_bytes_max * 2 < feed_reply_bytes_max, "the largest change must fit into one reply"
assert clock_drift_max_ms < clock_drift_refuse_ms
