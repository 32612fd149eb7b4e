CREATE TABLE format (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL) STRICT;
CREATE TABLE transactions ( number INTEGER PRIMARY KEY, decided_us INTEGER NOT NULL, token TEXT, parameters BLOB, changes BLOB ) STRICT;
CREATE UNIQUE INDEX transactions_by_token ON transactions (token) WHERE token IS NOT NULL;
CREATE INDEX unfinished ON transactions (number) WHERE changes IS NOT NULL;
