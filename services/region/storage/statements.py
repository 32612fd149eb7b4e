"""Every SQL statement of a partition file, with the index that it relies on; a test asks SQLite for each plan."""

format_number = 1

create = """
CREATE TABLE items (
    slot INTEGER NOT NULL, pk BLOB NOT NULL, sk BLOB NOT NULL,
    timestamp INTEGER NOT NULL, region INTEGER NOT NULL, seen BLOB NOT NULL,
    image BLOB,
    PRIMARY KEY (slot, pk, sk)
) WITHOUT ROWID, STRICT;
CREATE TABLE changes (
    sequence INTEGER PRIMARY KEY,
    origin_sequence INTEGER,
    commit_us INTEGER NOT NULL,
    record BLOB NOT NULL,
    old_image BLOB
) STRICT;
CREATE UNIQUE INDEX changes_by_origin ON changes (origin_sequence) WHERE origin_sequence IS NOT NULL;
CREATE TABLE conflicts (
    pk BLOB NOT NULL, sk BLOB NOT NULL,
    loser_timestamp INTEGER NOT NULL, loser_region INTEGER NOT NULL, loser_image BLOB,
    winner_timestamp INTEGER NOT NULL, winner_region INTEGER NOT NULL, winner_image BLOB,
    found_us INTEGER NOT NULL,
    PRIMARY KEY (pk, sk, loser_timestamp, loser_region)
) WITHOUT ROWID, STRICT;
CREATE TABLE dead_letters (
    source INTEGER NOT NULL, sequence INTEGER NOT NULL, kafka_offset INTEGER NOT NULL,
    reason TEXT NOT NULL, record BLOB NOT NULL, found_us INTEGER NOT NULL,
    PRIMARY KEY (source, sequence)
) WITHOUT ROWID, STRICT;
CREATE TABLE positions (source INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, kafka_offset INTEGER NOT NULL) STRICT;
CREATE TABLE followers (region INTEGER PRIMARY KEY, sequence INTEGER NOT NULL) STRICT;
CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    format INTEGER NOT NULL,
    sequence INTEGER NOT NULL, origin_sequence INTEGER NOT NULL,
    published_sequence INTEGER NOT NULL, trimmed_sequence INTEGER NOT NULL,
    item_count INTEGER NOT NULL, size_bytes INTEGER NOT NULL, digest BLOB NOT NULL,
    completeness TEXT NOT NULL
) STRICT;
"""

read_tables = "SELECT 1 FROM sqlite_schema WHERE name = 'state'"

# Point access: the primary key of `items`.
read_item = "SELECT timestamp, region, seen, image FROM items WHERE slot = ? AND pk = ? AND sk = ?"
write_item = (
    "INSERT INTO items (slot, pk, sk, timestamp, region, seen, image) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET timestamp = excluded.timestamp, region = excluded.region,"
    " seen = excluded.seen, image = excluded.image"
)
write_seen = "UPDATE items SET seen = ? WHERE slot = ? AND pk = ? AND sk = ?"

# One item collection in sort key order: a range of the primary key of `items`.
read_collection = (
    "SELECT sk, image FROM items WHERE slot = ? AND pk = ? AND sk >= ? AND sk < ? AND image IS NOT NULL"
    " ORDER BY sk LIMIT ?"
)
read_collection_backward = (
    "SELECT sk, image FROM items WHERE slot = ? AND pk = ? AND sk >= ? AND sk < ? AND image IS NOT NULL"
    " ORDER BY sk DESC LIMIT ?"
)

# Items of a slot range in key order, after a key: the primary key of `items`.
scan_items = (
    "SELECT slot, pk, sk, image FROM items"
    " WHERE (slot, pk, sk) > (?, ?, ?) AND slot < ? AND image IS NOT NULL ORDER BY slot, pk, sk LIMIT ?"
)
scan_rows = (
    "SELECT slot, pk, sk, timestamp, region, seen, image FROM items"
    " WHERE (slot, pk, sk) > (?, ?, ?) AND slot < ? ORDER BY slot, pk, sk LIMIT ?"
)

# The change log: by its primary key, or by origin sequence through `changes_by_origin`.
append_change = "INSERT INTO changes (sequence, origin_sequence, commit_us, record, old_image) VALUES (?, ?, ?, ?, ?)"
read_lane = (
    "SELECT origin_sequence, record FROM changes WHERE origin_sequence > ? AND origin_sequence IS NOT NULL"
    " ORDER BY origin_sequence LIMIT ?"
)
read_oldest_changes = "SELECT sequence, origin_sequence, commit_us FROM changes ORDER BY sequence LIMIT ?"
trim_changes = "DELETE FROM changes WHERE sequence <= ?"

# Replication bookkeeping: primary keys.
append_conflict = (
    "INSERT INTO conflicts (pk, sk, loser_timestamp, loser_region, loser_image,"
    " winner_timestamp, winner_region, winner_image, found_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING"
)
append_dead_letter = (
    "INSERT INTO dead_letters (source, sequence, kafka_offset, reason, record, found_us) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING"
)
write_position = (
    "INSERT INTO positions (source, sequence, kafka_offset) VALUES (?, ?, ?)"
    " ON CONFLICT DO UPDATE SET sequence = excluded.sequence, kafka_offset = excluded.kafka_offset"
)
read_positions = "SELECT source, sequence, kafka_offset FROM positions"
write_follower = (
    "INSERT INTO followers (region, sequence) VALUES (?, ?)"
    " ON CONFLICT DO UPDATE SET sequence = max(sequence, excluded.sequence)"
)
read_followers = "SELECT region, sequence FROM followers"

create_state = "INSERT INTO state VALUES (1, ?, 0, ?, 0, 0, 0, 0, ?, ?)"
read_state = (
    "SELECT format, sequence, origin_sequence, published_sequence, trimmed_sequence,"
    " item_count, size_bytes, digest, completeness"
    " FROM state WHERE one = 1"
)
write_state = (
    "UPDATE state SET sequence = ?, origin_sequence = ?, published_sequence = ?, trimmed_sequence = ?,"
    " item_count = ?, size_bytes = ?, digest = ?, completeness = ? WHERE one = 1"
)

# Of a few rows, or from the front up to the limit.
full_scans_intended = {"read_tables", "read_positions", "read_followers", "read_oldest_changes"}
