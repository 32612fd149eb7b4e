CREATE TABLE identity ( one INTEGER NOT NULL, format INTEGER NOT NULL, region VARCHAR NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (one) );
CREATE TABLE retired_lanes ( generation BLOB NOT NULL, partition INTEGER NOT NULL, origin_sequence INTEGER NOT NULL, PRIMARY KEY (generation, partition) );
CREATE TABLE tables ( generation BLOB NOT NULL, definition BLOB NOT NULL, stage VARCHAR NOT NULL, reason VARCHAR, PRIMARY KEY (generation) );
