"""`python -m tests.compat` writes the compatibility table into the README."""

from tests.compat.features import readme, with_table

if __name__ == "__main__":
    readme.write_text(with_table(readme.read_text(encoding="utf-8")), encoding="utf-8")
