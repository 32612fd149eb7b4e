"""What an expression's text alone decides: reserved words, positions in lists, functions and where they may stand.

Checked once per text, in the order in which the expression is written, before any placeholder is looked up.
"""

from services.region.expressions.nodes import (
    Arithmetic,
    Between,
    Call,
    Comparison,
    Conjunction,
    Disjunction,
    Membership,
    Negation,
    Operand,
    Path,
    Predicate,
    RemoveAction,
    Section,
    UpdateTree,
)
from services.region.expressions.problems import ExpressionProblem
from services.region.expressions.reserved_words import is_reserved
from shared.limits import list_index_max

operand_counts = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
    "size": 1,
    "if_not_exists": 2,
    "list_append": 2,
}
update_functions = frozenset({"if_not_exists", "list_append"})


def check_condition(predicate: Predicate) -> None:
    match predicate:
        case Conjunction(terms) | Disjunction(terms):
            for term in terms:
                check_condition(term)
        case Negation(term):
            check_condition(term)
        case Call():
            _check_function(predicate.function, allowed=predicate.function != "size")
            _check_operands(predicate.operands)
        case Comparison(_, left, right):
            _check_operands((left, right))
        case Between(operand, low, high):
            _check_operands((operand, low, high))
        case Membership(operand, candidates):
            _check_operands((operand, *candidates))


def check_update(tree: UpdateTree) -> None:
    """Section by section: all actions under one keyword, then whether the keyword was used more than once."""
    for keyword in dict.fromkeys(section.keyword for section in tree.sections):
        sections = [section for section in tree.sections if section.keyword == keyword]
        for section in sections:
            _check_section(section)
        if len(sections) > 1:
            raise ExpressionProblem(f'The "{keyword}" section can only be used once in an update expression;')


def check_path(path: Path) -> None:
    for step in path.steps:
        if isinstance(step, str):
            if is_reserved(step):
                raise ExpressionProblem(f"Attribute name is a reserved keyword; reserved keyword: {step}")
        elif isinstance(step, int) and step > list_index_max:
            raise ExpressionProblem(f"List index is not within the allowable range; index: [{step}]")


def _check_section(section: Section) -> None:
    for action in section.actions:
        check_path(action.path)
        if isinstance(action, RemoveAction):
            continue
        if isinstance(action.value, Arithmetic):
            _check_update_operand(action.value.left)
            _check_update_operand(action.value.right)
        else:
            _check_update_operand(action.value)


def _check_update_operand(operand: Operand) -> None:
    if isinstance(operand, Path):
        check_path(operand)
    elif isinstance(operand, Call):
        if operand.function not in operand_counts:
            raise _unknown(operand.function)
        if operand.function not in update_functions:
            raise ExpressionProblem(
                f"The function is not allowed in an update expression; function: {operand.function}"
            )
        for inner in operand.operands:
            _check_update_operand(inner)
            if isinstance(inner, Call) and inner.function == "list_append":
                raise _misused(inner.function)


def _check_operands(operands: tuple[Operand, ...]) -> None:
    for operand in operands:
        if isinstance(operand, Path):
            check_path(operand)
        elif isinstance(operand, Call):
            _check_function(operand.function, allowed=operand.function == "size")
            _check_operands(operand.operands)


def _check_function(function: str, *, allowed: bool) -> None:
    if function not in operand_counts:
        raise _unknown(function)
    if function in update_functions:
        raise ExpressionProblem(f"The function is not allowed in a condition expression; function: {function}")
    if not allowed:
        raise _misused(function)


def _misused(function: str) -> ExpressionProblem:
    return ExpressionProblem(f"The function is not allowed to be used this way in an expression; function: {function}")


def _unknown(function: str) -> ExpressionProblem:
    return ExpressionProblem(f"Invalid function name; function: {function}")
