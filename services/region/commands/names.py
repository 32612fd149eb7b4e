"""Names of tables as commands hold them; one that came in an ARN remembers whose table the ARN means."""


class NameInArn(str):
    """The table's name, equal to the same name given plainly; a service checks that the ARN means one of its own."""

    __slots__ = ("account", "arn", "aws_partition", "region")

    def __new__(cls, name: str, *, arn: str) -> "NameInArn":
        made = super().__new__(cls, name)
        made.arn = arn
        _, made.aws_partition, _, made.region, made.account, _ = arn.split(":", 5)
        return made

    arn: str
    aws_partition: str
    region: str
    account: str


def as_given(name: str) -> str:
    """The name, or the ARN that it came in."""
    return name.arn if isinstance(name, NameInArn) else name
