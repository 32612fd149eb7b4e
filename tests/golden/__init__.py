"""Golden files: what every format that was ever stored or sent looks like, byte for byte.

`files/` is append-only. A changed format gets a new number, its file is made by `python -m tests.golden`, and the
files of earlier numbers stay: what they hold must be readable for as long as a region may hold it.
"""
