"""Every SQL statement of a partition file, with the index that it relies on; a test asks SQLite for each plan."""

format_number = 1

create = """
CREATE TABLE items (
    slot INTEGER NOT NULL, pk BLOB NOT NULL, sk BLOB NOT NULL,
    timestamp INTEGER NOT NULL, region INTEGER NOT NULL, seen BLOB NOT NULL,
    image BLOB, tombstone_since INTEGER,
    PRIMARY KEY (slot, pk, sk)
) WITHOUT ROWID, STRICT;
CREATE INDEX tombstones ON items (tombstone_since) WHERE image IS NULL;
CREATE TABLE changes (
    sequence INTEGER PRIMARY KEY,
    is_own INTEGER NOT NULL,
    origin_sequence INTEGER NOT NULL,
    commit_us INTEGER NOT NULL,
    record BLOB NOT NULL,
    old_image BLOB
) STRICT;
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
CREATE TABLE positions (
    source INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, kafka_offset INTEGER NOT NULL,
    commit_us INTEGER NOT NULL
) STRICT;
CREATE TABLE lost_sources (source INTEGER PRIMARY KEY) STRICT;
CREATE TABLE followers (region INTEGER PRIMARY KEY, sequence INTEGER NOT NULL) STRICT;
CREATE TABLE indexes (
    number INTEGER PRIMARY KEY, definition BLOB NOT NULL, phase TEXT NOT NULL,
    slot INTEGER NOT NULL, pk BLOB NOT NULL, sk BLOB NOT NULL,
    entry_count INTEGER NOT NULL, size_bytes INTEGER NOT NULL
) STRICT;
CREATE TABLE index_entries (
    number INTEGER NOT NULL, pk BLOB NOT NULL, sk BLOB NOT NULL,
    slot INTEGER NOT NULL, base_pk BLOB NOT NULL, base_sk BLOB NOT NULL,
    PRIMARY KEY (number, pk, sk, slot, base_pk, base_sk)
) WITHOUT ROWID, STRICT;
CREATE TABLE collections (
    slot INTEGER NOT NULL, pk BLOB NOT NULL, size_bytes INTEGER NOT NULL,
    PRIMARY KEY (slot, pk)
) WITHOUT ROWID, STRICT;
CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    format INTEGER NOT NULL,
    sequence INTEGER NOT NULL, origin_sequence INTEGER NOT NULL,
    published_sequence INTEGER NOT NULL, trimmed_sequence INTEGER NOT NULL,
    item_count INTEGER NOT NULL, size_bytes INTEGER NOT NULL, digest BLOB NOT NULL,
    completeness TEXT NOT NULL,
    head_us INTEGER NOT NULL, collected_timestamp INTEGER NOT NULL
) STRICT;
"""

read_tables = "SELECT 1 FROM sqlite_schema WHERE name = 'state'"

# Point access: the primary key of `items`.
read_item = "SELECT timestamp, region, seen, image FROM items WHERE slot = ? AND pk = ? AND sk = ?"
create_item = (
    "INSERT INTO items (slot, pk, sk, timestamp, region, seen, image, tombstone_since) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
replace_item = (
    "UPDATE items SET timestamp = ?, region = ?, seen = ?, image = ?, tombstone_since = ?"
    " WHERE slot = ? AND pk = ? AND sk = ?"
)
write_seen = "UPDATE items SET seen = ? WHERE slot = ? AND pk = ? AND sk = ?"

drop_item = "DELETE FROM items WHERE slot = ? AND pk = ? AND sk = ?"

# Tombstones from the oldest on: the index `tombstones`, which holds nothing else.
read_oldest_tombstone = (
    "SELECT tombstone_since FROM items INDEXED BY tombstones WHERE image IS NULL ORDER BY tombstone_since LIMIT 1"
)
read_tombstones = (
    "SELECT slot, pk, sk, timestamp, region, seen FROM items INDEXED BY tombstones"
    " WHERE image IS NULL AND tombstone_since < ? ORDER BY tombstone_since LIMIT ?"
)

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

# Entries of an index: ranges of the primary key of `index_entries`, each with its item by the primary key of `items`.
write_index_entry = (
    "INSERT INTO index_entries (number, pk, sk, slot, base_pk, base_sk) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING"
)
drop_index_entry = (
    "DELETE FROM index_entries WHERE number = ? AND pk = ? AND sk = ? AND slot = ? AND base_pk = ? AND base_sk = ?"
)
read_index_collection = (
    "SELECT e.sk, e.slot, e.base_pk, e.base_sk, i.image FROM index_entries e CROSS JOIN items i"
    " WHERE e.number = ? AND e.pk = ? AND (e.sk, e.slot, e.base_pk, e.base_sk) > (?, ?, ?, ?) AND e.sk < ?"
    " AND i.slot = e.slot AND i.pk = e.base_pk AND i.sk = e.base_sk"
    " ORDER BY e.sk, e.slot, e.base_pk, e.base_sk LIMIT ?"
)
read_index_collection_backward = (
    "SELECT e.sk, e.slot, e.base_pk, e.base_sk, i.image FROM index_entries e CROSS JOIN items i"
    " WHERE e.number = ? AND e.pk = ? AND (e.sk, e.slot, e.base_pk, e.base_sk) < (?, ?, ?, ?) AND e.sk >= ?"
    " AND i.slot = e.slot AND i.pk = e.base_pk AND i.sk = e.base_sk"
    " ORDER BY e.sk DESC, e.slot DESC, e.base_pk DESC, e.base_sk DESC LIMIT ?"
)
scan_index = (
    "SELECT e.pk, e.sk, e.slot, e.base_pk, e.base_sk, i.image FROM index_entries e CROSS JOIN items i"
    " WHERE e.number = ? AND (e.pk, e.sk, e.slot, e.base_pk, e.base_sk) > (?, ?, ?, ?, ?)"
    " AND i.slot = e.slot AND i.pk = e.base_pk AND i.sk = e.base_sk"
    " ORDER BY e.pk, e.sk, e.slot, e.base_pk, e.base_sk LIMIT ?"
)
read_index_entries = (
    "SELECT pk, sk, slot, base_pk, base_sk FROM index_entries WHERE number = ?"
    " ORDER BY pk, sk, slot, base_pk, base_sk LIMIT ?"
)
drop_index_entries = (
    "DELETE FROM index_entries WHERE number = ? AND (pk, sk, slot, base_pk, base_sk) <= (?, ?, ?, ?, ?)"
)

# The indexes of a file, a few rows; and the sizes of item collections, by their primary keys.
create_index = (
    "INSERT INTO indexes (number, definition, phase, slot, pk, sk, entry_count, size_bytes)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
write_index = "UPDATE indexes SET phase = ?, slot = ?, pk = ?, sk = ?, entry_count = ?, size_bytes = ? WHERE number = ?"
read_indexes = "SELECT definition, phase, slot, pk, sk, entry_count, size_bytes FROM indexes ORDER BY number"
drop_index = "DELETE FROM indexes WHERE number = ?"
grow_collection = (
    "INSERT INTO collections (slot, pk, size_bytes) VALUES (?, ?, ?)"
    " ON CONFLICT DO UPDATE SET size_bytes = size_bytes + excluded.size_bytes"
)
read_collection_size = "SELECT size_bytes FROM collections WHERE slot = ? AND pk = ?"
drop_empty_collection = "DELETE FROM collections WHERE slot = ? AND pk = ? AND size_bytes <= 0"

# The change log: by its primary key. A row has the origin sequence of the last change that was made here up to then,
# so origin sequences rise with sequences, and bisection finds them without an index of their own.
append_change = (
    "INSERT INTO changes (sequence, is_own, origin_sequence, commit_us, record, old_image) VALUES (?, ?, ?, ?, ?, ?)"
)
read_own_changes = "SELECT origin_sequence, record FROM changes WHERE sequence > ? AND is_own ORDER BY sequence LIMIT ?"
read_changes = (
    "SELECT sequence, iif(is_own, origin_sequence, NULL), commit_us, record, old_image FROM changes"
    " WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?"
)
read_oldest_changes = (
    "SELECT sequence, iif(is_own, origin_sequence, NULL), commit_us FROM changes ORDER BY sequence LIMIT ?"
)
read_first_change = "SELECT sequence FROM changes ORDER BY sequence LIMIT 1"
read_last_change = "SELECT sequence, origin_sequence FROM changes ORDER BY sequence DESC LIMIT 1"
read_logged_us = "SELECT commit_us FROM changes WHERE sequence = ?"
read_logged_origin = "SELECT origin_sequence FROM changes WHERE sequence = ?"
read_commit_us = "SELECT commit_us FROM changes WHERE sequence = ? AND is_own AND origin_sequence = ?"
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
read_sources_of_dead_letters = "SELECT source FROM dead_letters LIMIT ?"
write_position = (
    "INSERT INTO positions (source, sequence, kafka_offset, commit_us) VALUES (?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET sequence = excluded.sequence, kafka_offset = excluded.kafka_offset,"
    " commit_us = excluded.commit_us"
)
read_positions = "SELECT source, sequence, kafka_offset, commit_us FROM positions"
write_lost_source = "INSERT INTO lost_sources (source) VALUES (?) ON CONFLICT DO NOTHING"
clear_lost_source = "DELETE FROM lost_sources WHERE source = ?"
read_lost_sources = "SELECT source FROM lost_sources"
write_follower = (
    "INSERT INTO followers (region, sequence) VALUES (?, ?)"
    " ON CONFLICT DO UPDATE SET sequence = max(sequence, excluded.sequence)"
)
read_followers = "SELECT region, sequence FROM followers"

create_state = "INSERT INTO state VALUES (1, ?, 0, ?, 0, 0, 0, 0, ?, ?, 0, 0)"
read_format = "SELECT format FROM state WHERE one = 1"
read_state = (
    "SELECT sequence, origin_sequence, published_sequence, trimmed_sequence,"
    " item_count, size_bytes, digest, completeness, head_us, collected_timestamp"
    " FROM state WHERE one = 1"
)
write_state = (
    "UPDATE state SET sequence = ?, origin_sequence = ?, published_sequence = ?, trimmed_sequence = ?,"
    " item_count = ?, size_bytes = ?, digest = ?, completeness = ?, head_us = ?, collected_timestamp = ?"
    " WHERE one = 1"
)

# Of a few rows, or from the front up to the limit.
full_scans_intended = {
    "read_tables",
    "read_positions",
    "read_lost_sources",
    "read_followers",
    "read_sources_of_dead_letters",
    "read_oldest_changes",
    "read_first_change",
    "read_last_change",
    "read_oldest_tombstone",
    "read_indexes",
}
