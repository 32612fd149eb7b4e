"""Literals of a statement as attribute values.

A parameter stands where a whole attribute or operand stands, never inside of a list, a map or a set.
"""

from services.region.expressions.nodes import Literal, ValuePlaceholder
from services.region.partiql.nodes import FunctionCall, Name, Node, Parameter, Scalar, Sequence, Struct
from shared.errors import ValidationError
from shared.limits import nesting_levels_max
from shared.model.numbers import canonical_number
from shared.model.values import AttributeValue, ordered_members

_invalid = "One or more parameter values were invalid: "
_mixed_bag = "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags"


def operand_value(node: Node) -> Literal | ValuePlaceholder | None:
    """The value of a literal or of a parameter; None if this is neither."""
    if isinstance(node, Scalar):
        return Literal(value_of(node))
    if isinstance(node, Parameter):
        return placeholder(node)
    if isinstance(node, Sequence | Struct):
        return Literal(value_of(node))
    return None


def placeholder(parameter: Parameter) -> ValuePlaceholder:
    return ValuePlaceholder(f":{parameter.number}")


def value_of(node: Node, under: str = "root", level: int = 0) -> AttributeValue:
    """`under` is the way to this value inside of the literal that holds it, of that many steps."""
    if level >= nesting_levels_max:
        raise ValidationError(f"Nesting Levels have exceeded supported limits under {under}")
    if isinstance(node, Scalar):
        return _scalar_value(node, under)
    if isinstance(node, Sequence) and node.kind == "BAG":
        return _bag_value(node, under)
    if isinstance(node, Sequence):
        return {"L": [value_of(each, f"{under}[{position}]", level + 1) for position, each in enumerate(node.elements)]}
    if isinstance(node, Struct):
        members = {}
        for key, member in node.members:
            name = member_name(key)
            members[name] = value_of(member, f"{under}.{name}", level + 1)
        return {"M": members}
    raise _unsupported(node, under)


def member_name(node: Node) -> str:
    if isinstance(node, Scalar) and node.kind == "STRING":
        if not node.text:
            raise ValidationError("Path component cannot be an empty string")
        return node.text
    raise ValidationError(f"Unsupported data type: {_type_word(node)} as a key of a tuple at {node.place}")


def _scalar_value(node: Scalar, under: str) -> AttributeValue:
    match node.kind:
        case "STRING":
            return {"S": node.text}
        case "NUMBER":
            return {"N": _number(node.text, under)}
        case "BOOLEAN":
            return {"BOOL": node.text == "true"}
        case "NULL":
            return {"NULL": True}
        case _:
            raise ValidationError(f"Unsupported data type: {node.kind}")


def _number(text: str, under: str) -> str:
    try:
        return canonical_number(text)
    except ValidationError as error:
        raise ValidationError(f"{error.message} under {under}") from None


def _bag_value(node: Sequence, under: str) -> AttributeValue:
    """A set has one type, and no value twice."""
    if not node.elements:
        raise ValidationError("Empty bags are not supported")
    first = node.elements[0]
    if not isinstance(first, Scalar) or first.kind not in ("STRING", "NUMBER"):
        raise ValidationError(f"{_mixed_bag} at {first.place}")
    numbers = first.kind == "NUMBER"
    texts = []
    for element in node.elements:
        if isinstance(element, Scalar) and element.kind == first.kind:
            texts.append(element.text)
        elif isinstance(element, Parameter):
            raise _unsupported(element, under)
        elif numbers and isinstance(element, Scalar) and element.kind == "NULL":
            raise ValidationError(f"{_invalid}Numeric sets may not contain null under {under}")
        else:
            raise ValidationError(_mixed_bag if numbers else f"{_mixed_bag} at {element.place}")
    members = [_number(text, under) for text in texts] if numbers else texts
    if len(set(members)) < len(members):
        ending = f"contains duplicates! under {under}" if numbers else "contains duplicates."
        raise ValidationError(f"{_invalid}Input collection [{', '.join(texts)}] {ending}")
    kind = "NS" if numbers else "SS"
    return {kind: ordered_members(kind, members)}


def _unsupported(node: Node, under: str) -> ValidationError:
    return ValidationError(f"Unsupported data type: {_type_word(node)} under key {under} at {node.place}")


def _type_word(node: Node) -> str:
    if isinstance(node, Parameter):
        return "Parameter"
    if isinstance(node, FunctionCall):
        return node.name
    return "VariableReference" if isinstance(node, Name) else "UNKNOWN"
