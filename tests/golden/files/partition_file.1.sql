CREATE TABLE changes ( sequence INTEGER PRIMARY KEY, origin_sequence INTEGER, commit_us INTEGER NOT NULL, record BLOB NOT NULL, old_image BLOB ) STRICT;
CREATE UNIQUE INDEX changes_by_origin ON changes (origin_sequence) WHERE origin_sequence IS NOT NULL;
CREATE TABLE conflicts ( pk BLOB NOT NULL, sk BLOB NOT NULL, loser_timestamp INTEGER NOT NULL, loser_region INTEGER NOT NULL, loser_image BLOB, winner_timestamp INTEGER NOT NULL, winner_region INTEGER NOT NULL, winner_image BLOB, found_us INTEGER NOT NULL, PRIMARY KEY (pk, sk, loser_timestamp, loser_region) ) WITHOUT ROWID, STRICT;
CREATE TABLE dead_letters ( source INTEGER NOT NULL, sequence INTEGER NOT NULL, kafka_offset INTEGER NOT NULL, reason TEXT NOT NULL, record BLOB NOT NULL, found_us INTEGER NOT NULL, PRIMARY KEY (source, sequence) ) WITHOUT ROWID, STRICT;
CREATE TABLE followers (region INTEGER PRIMARY KEY, sequence INTEGER NOT NULL) STRICT;
CREATE TABLE items ( slot INTEGER NOT NULL, pk BLOB NOT NULL, sk BLOB NOT NULL, timestamp INTEGER NOT NULL, region INTEGER NOT NULL, seen BLOB NOT NULL, image BLOB, PRIMARY KEY (slot, pk, sk) ) WITHOUT ROWID, STRICT;
CREATE TABLE positions (source INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, kafka_offset INTEGER NOT NULL) STRICT;
CREATE TABLE state ( one INTEGER PRIMARY KEY CHECK (one = 1), format INTEGER NOT NULL, sequence INTEGER NOT NULL, origin_sequence INTEGER NOT NULL, published_sequence INTEGER NOT NULL, trimmed_sequence INTEGER NOT NULL, item_count INTEGER NOT NULL, size_bytes INTEGER NOT NULL, digest BLOB NOT NULL, completeness TEXT NOT NULL ) STRICT;
