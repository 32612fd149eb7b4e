"""Every SQL statement of the transaction log, with the index that it relies on; a test asks SQLite for each plan."""

format_number = 1

# `parameters`: the digest of what the token's request asked for, and behind it a byte of read units for each action.
create = """
CREATE TABLE transactions (
    number INTEGER PRIMARY KEY,
    decided_us INTEGER NOT NULL,
    token TEXT, parameters BLOB,
    changes BLOB
) STRICT;
CREATE UNIQUE INDEX transactions_by_token ON transactions (token) WHERE token IS NOT NULL;
CREATE INDEX unfinished ON transactions (number) WHERE changes IS NOT NULL;
CREATE TABLE format (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL) STRICT;
"""
create_format = "INSERT INTO format VALUES (1, ?)"

read_tables = "SELECT 1 FROM sqlite_schema WHERE name = 'format'"
read_format = "SELECT number FROM format WHERE one = 1"

# Points: the primary key, or `transactions_by_token`. A token that is used anew has expired.
append = "INSERT OR REPLACE INTO transactions (number, decided_us, token, parameters, changes) VALUES (?, ?, ?, ?, ?)"
read_token = "SELECT decided_us, parameters FROM transactions WHERE token = ?"
finish_with_token = "UPDATE transactions SET changes = NULL WHERE number = ? AND token IS NOT NULL"
finish_without_token = "DELETE FROM transactions WHERE number = ? AND token IS NULL"
forget = "DELETE FROM transactions WHERE number = ? AND changes IS NULL"

# Few at any time: the index `unfinished`, which holds nothing else.
read_unfinished = (
    "SELECT number, token, parameters, changes FROM transactions INDEXED BY unfinished"
    " WHERE changes IS NOT NULL ORDER BY number"
)

# The ends of the primary key.
read_last = "SELECT max(number) FROM transactions"
read_oldest = (
    "SELECT number FROM (SELECT number, decided_us FROM transactions ORDER BY number LIMIT ?) WHERE decided_us < ?"
)
read_first = "SELECT decided_us FROM transactions ORDER BY number LIMIT 1"

# From the front up to the limit, or of one row.
full_scans_intended = {"read_tables", "read_oldest", "read_first", "read_unfinished"}
