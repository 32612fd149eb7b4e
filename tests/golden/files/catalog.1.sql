CREATE TABLE identity ( one INTEGER NOT NULL, format INTEGER NOT NULL, region VARCHAR NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (one) );
CREATE TABLE replica_facts ( generation BLOB NOT NULL, facts BLOB NOT NULL, PRIMARY KEY (generation) );
CREATE TABLE retired_lanes ( generation BLOB NOT NULL, partition INTEGER NOT NULL, origin_sequence INTEGER NOT NULL, PRIMARY KEY (generation, partition) );
CREATE TABLE streams ( generation BLOB NOT NULL, enabled_us INTEGER NOT NULL, name VARCHAR NOT NULL, view_type VARCHAR NOT NULL, started BLOB NOT NULL, disabled_us INTEGER, ended BLOB, PRIMARY KEY (generation, enabled_us) );
CREATE TABLE tables ( generation BLOB NOT NULL, definition BLOB NOT NULL, stage VARCHAR NOT NULL, reason VARCHAR, PRIMARY KEY (generation) );
