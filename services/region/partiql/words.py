"""The words and operators of PartiQL: what is no name unless it is quoted, and what binds how tightly.

Source: the reference implementation's lexical grammar (partiql-lang-kotlin), which DynamoDB's answers follow.
Of its keywords DynamoDB takes `only` as a name.
"""

_keywords = """
    absolute action add all allocate alter any are assertion authorization avg begin bit bit_length cascade cascaded
    case cast catalog char character character_length char_length check close coalesce collate collation column commit
    connect connection constraint constraints continue convert corresponding count create cross current current_date
    current_time current_timestamp current_user cursor date deallocate dec decimal declare default deferrable deferred
    delete describe descriptor diagnostics disconnect distinct domain double drop else end end-exec escape exception
    exec execute exists external extract date_add date_diff fetch first float foreign found from full get global go
    goto grant group having identity immediate indicator initially inner input insensitive insert int integer interval
    into isolation join key language last left level limit local lower match max min module names national natural
    nchar next no nullif numeric octet_length of on open option order outer output overlaps pad partial position
    precision prepare preserve primary prior privileges procedure public read real references relative restrict revoke
    right rollback rows schema scroll section select session session_user set size smallint some space sql sqlcode
    sqlerror sqlstate substring sum system_user table temporary then time timestamp to transaction translate
    translation trim unique unknown update upper usage user using value values varchar varying view when whenever where
    with work write zone can_cast can_lossless_cast pivot unpivot offset tuple remove index let integer2 int2 integer4
    int4 integer8 int8 bigint conflict do nothing returning modified new old bool boolean string symbol clob blob
    struct list sexp bag
"""
keywords = frozenset(_keywords.split())
tokens_of_their_own = {
    "as": "AS",
    "at": "AT",
    "by": "BY",
    "asc": "ASC",
    "desc": "DESC",
    "for": "FOR",
    "null": "NULL",
    "missing": "MISSING",
}
word_operators = frozenset({"and", "or", "not", "is", "in", "between", "like", "union", "except", "intersect"})
_function_keywords = """
    exists count avg max min sum char_length character_length octet_length bit_length upper lower size sexp list bag
"""
function_keywords = frozenset(_function_keywords.split())
joined = {
    ("not", "in"): "not_in",
    ("is", "not"): "is_not",
    ("not", "between"): "not_between",
    ("not", "like"): "not_like",
    ("insert", "into"): "insert_into",
    ("on", "conflict"): "on_conflict",
    ("do", "nothing"): "do_nothing",
    ("modified", "old"): "modified_old",
    ("modified", "new"): "modified_new",
    ("all", "old"): "all_old",
    ("all", "new"): "all_new",
    ("double", "precision"): "double_precision",
    ("character", "varying"): "character_varying",
}
type_names = {
    "missing": "MISSING",
    "null": "NULL",
    "bool": "BOOL",
    "boolean": "BOOL",
    "blob": "B",
    "string": "S",
    "numeric": "N",
    "struct": "M",
    "tuple": "M",
    "list": "L",
}
other_type_names = {  # and how the service calls them
    **dict.fromkeys(("smallint", "int2", "integer2"), "Smallint"),
    **dict.fromkeys(("int", "integer"), "Integer"),
    **dict.fromkeys(("int4", "integer4"), "Integer4"),
    **dict.fromkeys(("int8", "integer8", "bigint"), "Integer8"),
    "float": "Float",
    "real": "Real",
    "double_precision": "DoublePrecision",
    **dict.fromkeys(("decimal", "dec"), "Decimal"),
    "timestamp": "Timestamp",
    "date": "Date",
    "time": "Time",
    **dict.fromkeys(("char", "character"), "Character"),
    **dict.fromkeys(("varchar", "character_varying"), "CharacterVarying"),
    "symbol": "Symbol",
    "clob": "Clob",
    "sexp": "Sexp",
    "bag": "Bag",
    "any": "Any",
}
unary_operators = frozenset({"+", "-", "not"})
negation_precedence = 30
clause_precedence = 6  # a source or a condition ends where something looser begins
infix_precedences = {
    **dict.fromkeys(("union", "intersect", "except"), 5),
    "or": 10,
    "and": 20,
    **dict.fromkeys(("=", "<>", "is", "is_not", "in", "not_in"), 40),
    **dict.fromkeys(("<", "<=", ">", ">=", "between", "not_between", "like", "not_like"), 50),
    **dict.fromkeys(("+", "-", "||"), 60),
    **dict.fromkeys(("*", "/", "%"), 70),
}
