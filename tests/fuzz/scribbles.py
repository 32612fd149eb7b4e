"""Words of both grammars, expressions and PartiQL, in no order."""

from tests.fuzz.dice import Dice

_words = (
    *("a", "#a", ":a1", "m.a", "l[0]", "[", "]", ".", ",", "(", ")", "=", "<>", "<", ">=", "+", "-", "AND", "or"),
    *("NOT", "BETWEEN", "IN", "SET", "remove", "ADD", "DELETE", "size(", "contains(", "if_not_exists(", "list_append("),
    *("attribute_exists(", "attribute_type(", "begins_with(", "status", "_", "0", "!", "é", "\t", "#", ":", "'x'", "?"),
    *("SELECT", "*", "FROM", "orders", '"orders"', "WHERE", "pk", "ORDER BY", "INSERT INTO", "VALUE", "UPDATE", "IS"),
    *("MISSING", "NULL", "TRUE", "RETURNING", "ALL", "OLD", "EXISTS(", "LIKE", "CASE", "WHEN", "CAST(", "COUNT(", "AS"),
    *("GROUP BY", "LIMIT", "JOIN", "{", "}", "{'a':", "<<", ">>", "'it''s'", '"', "'", "--", "/*", "1.5e3", "-1", ";"),
)


def scribble(dice: Dice, *, most: int = 30) -> str:
    glue = dice.choice(["", " "])
    return glue.join(dice.choice(_words) for _ in range(dice.randint(1, most)))
