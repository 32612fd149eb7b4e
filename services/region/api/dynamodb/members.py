"""The shapes of requests: which members an operation has, their JSON types and their constraints.

`Structure.read` copies a request's known members (JSON null means absent, what is unknown is dropped) and raises
`SerializationError` for the first wrong JSON type. Attributes are read on the way (`Attributes`). The constraints
are only described here; `constraints.check` judges them. Sources: the service model for names, enums and bounds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.region.api.dynamodb import serialization
from services.region.api.dynamodb.attribute_values import Attributes, StandaloneValue, read_attributes, read_value
from shared import limits

Members = dict[str, Any]
_package = "com.amazonaws.dynamodb.v20120810"


@dataclass(frozen=True, slots=True)
class Text:
    enum: tuple[str, ...] = ()
    pattern: str | None = None
    length_min: int | None = None
    length_max: int | None = None
    tells_length_first: bool = False

    java = "java.lang.String"

    def read(self, value: Any) -> str:
        return value if type(value) is str else serialization.read_text(value)

    read_element = read


@dataclass(frozen=True, slots=True)
class TableName:
    """A table's name or ARN; calls on tables tell all that is wrong with one, and by itself that there is none."""

    of_calls_on_tables: bool = False

    java = "java.lang.String"

    def read(self, value: Any) -> str:
        return serialization.read_text(value)

    read_element = read


@dataclass(frozen=True, slots=True)
class Flag:
    java = "java.lang.Boolean"

    def read(self, value: Any) -> bool:
        return value if type(value) is bool else serialization.read_flag(value)

    read_element = read


@dataclass(frozen=True, slots=True)
class Whole:
    type: str  # "Integer" or "Long"
    min: int | None = None
    max: int | None = None

    java = "java.lang.Number"

    def read(self, value: Any) -> int:
        return serialization.read_whole(value, java=self.type)

    read_element = read


@dataclass(frozen=True, slots=True)
class ListOf:
    element: "Shape"
    length_min: int | None = None
    length_max: int | None = None
    excess_at: str | None = None  # where a list that is too long is said to be, if not in its place

    @property
    def java(self) -> str:
        return f"java.util.List<{self.element.java}>"

    def read(self, value: Any) -> list[Any]:
        if type(value) is not list:
            raise serialization.wrong_list(value)
        return self._read(value)

    def read_element(self, value: Any) -> list[Any]:
        if type(value) is not list:
            raise serialization.wrong_inner_list(value)
        return self._read(value)

    def _read(self, value: list[Any]) -> list[Any]:
        read = self.element.read_element
        return [None if element is None else read(element) for element in value]


@dataclass(frozen=True, slots=True)
class MapOf:
    element: "Shape"
    table_names: bool = False  # whether the keys are names or ARNs of tables
    wrong_names_give_way: bool = False  # to what else was found wrong with the request so far
    shown_as_json: bool = False
    values: ListOf | None = None  # bounds of the values, reported for the map as a whole

    @property
    def java(self) -> str:
        return f"java.util.Map<java.lang.String, {self.element.java}>"

    def read(self, value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise serialization.wrong_map(value, self.element.java)
        read = self.element.read_element
        return {key: None if element is None else read(element) for key, element in value.items()}

    def read_element(self, value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise serialization.wrong_inner_map(value, self.element.java)
        return self.read(value)


@dataclass(frozen=True, slots=True)
class AttributeMap:
    """An item, a key or expression values: read into `Attributes`."""

    levels_max: int = limits.nesting_levels_max
    older_words: bool = False

    @property
    def java(self) -> str:
        return f"java.util.Map<java.lang.String, {_package}.AttributeValue>"

    def read(self, value: Any) -> Attributes:
        if type(value) is not dict:
            raise serialization.wrong_map(value, f"{_package}.AttributeValue")
        return read_attributes(value, self.levels_max, older_words=self.older_words)

    def read_element(self, value: Any) -> Attributes:
        if type(value) is not dict:
            raise serialization.wrong_inner_map(value, f"{_package}.AttributeValue")
        return read_attributes(value, self.levels_max, older_words=self.older_words)


@dataclass(frozen=True, slots=True)
class AttributeValue:
    levels_max: int = limits.nesting_levels_max
    older_words: bool = False

    java = f"{_package}.AttributeValue"

    def read(self, value: Any) -> StandaloneValue:
        if type(value) is not dict:
            raise serialization.wrong_structure(value, self.java)
        return read_value(value, self.levels_max, older_words=self.older_words)

    def read_element(self, value: Any) -> StandaloneValue:
        return read_value(value, self.levels_max, older_words=self.older_words)


@dataclass(frozen=True, slots=True)
class Unread:
    """A member that `unsupported` refuses, so that what it holds does not matter."""

    java = "java.lang.Object"

    def read(self, value: Any) -> Any:
        return value

    read_element = read


@dataclass(frozen=True, slots=True)
class Structure:
    """Members in the order in which the service reports what is wrong with them; `required` may not be absent.

    `printed` names them in the order in which the service shows the structure, where that is another one.
    """

    name: str
    members: Mapping[str, "Shape"]
    required: frozenset[str]
    printed: tuple[str, ...] = ()
    judged: tuple[tuple[str, str, "Shape"], ...] = field(init=False)  # members with constraints, and their Java names

    def __post_init__(self) -> None:
        judged = [
            (name, java_name(name), shape)
            for name, shape in self.members.items()
            if name in self.required
            or (not isinstance(shape, Flag | AttributeMap | AttributeValue | Unread) and shape != Text())
        ]
        object.__setattr__(self, "judged", tuple(judged))

    @property
    def java(self) -> str:
        return f"{_package}.{self.name}"

    def read(self, value: Any) -> Members:
        if type(value) is not dict:
            raise serialization.wrong_structure(value, self.java)
        members = self.members
        return {
            name: shape.read(content)
            for name, content in value.items()
            if content is not None and (shape := members.get(name)) is not None
        }

    def read_element(self, value: Any) -> Members:
        if type(value) is not dict:
            raise serialization.wrong_element(value, self.java)
        return self.read(value)


def java_name(member: str) -> str:
    return member[0].lower() + member[1:]


Shape = Text | TableName | Flag | Whole | ListOf | MapOf | AttributeMap | AttributeValue | Unread | Structure


def structure(name: str, /, *required: str, **members: Shape) -> Structure:
    return Structure(name, members, frozenset(required))


table_name = TableName()
flag = Flag()
unread = Unread()
text = Text()
texts_by_name = MapOf(text)
attributes = AttributeMap()
attributes_in_older_words = AttributeMap(older_words=True)
attribute_value = AttributeValue()
comparison_operator = Text(
    enum=(
        *("IN", "NULL", "BETWEEN", "LT", "NOT_CONTAINS", "EQ", "GT"),
        *("NOT_NULL", "NE", "LE", "BEGINS_WITH", "GE", "CONTAINS"),
    )
)
return_consumed_capacity = Text(enum=("INDEXES", "TOTAL", "NONE"))
return_item_collection_metrics = Text(enum=("SIZE", "NONE"))
return_values = Text(enum=("ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"))
return_values_on_failure = Text(enum=("ALL_OLD", "NONE"))
conditional_operator = Text(enum=("OR", "AND"))
select = Text(enum=("SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"))
index_name = Text(pattern="[a-zA-Z0-9_.-]+", length_min=3, length_max=255)
defined_index_name = Text(pattern="[a-zA-Z0-9_.-]+", length_min=3, length_max=255, tells_length_first=True)
attributes_to_get = ListOf(text, length_min=1, length_max=255)
expected = MapOf(
    structure(
        "ExpectedAttributeValue",
        AttributeValueList=ListOf(attribute_value),
        ComparisonOperator=comparison_operator,
        Exists=flag,
        Value=attribute_value,
    )
)
attribute_updates = MapOf(
    structure("AttributeValueUpdate", Action=Text(enum=("ADD", "DELETE", "PUT")), Value=attribute_value)
)


def _conditions(value: AttributeValue) -> MapOf:
    return MapOf(
        structure(
            "Condition",
            "ComparisonOperator",
            AttributeValueList=ListOf(value),
            ComparisonOperator=comparison_operator,
        )
    )


conditions = _conditions(attribute_value)
conditions_in_older_words = _conditions(AttributeValue(older_words=True))
