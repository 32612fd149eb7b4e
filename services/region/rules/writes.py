"""What a write should do, decided on the row just read: `decide(request, stored) -> Decision`, or a refusal raised.

Pure, and safe to run twice: the writer runs it inside the partition's transaction and again if that has to be repeated.
"""

from collections.abc import Sequence
from typing import NamedTuple

from services.region.commands.items import DeleteItem, Guard, ReturnValues, UpdateItem, no_guard
from services.region.expressions.updates import updated_attributes
from services.region.rules.indexes import check_size_with_entries, check_updated_index_keys
from services.region.rules.stored import StoredItem
from shared.changes.records import Kind
from shared.errors import ConditionalCheckFailedError, ValidationError
from shared.limits import item_bytes_max, nesting_levels_max
from shared.model.indexes import SecondaryIndex
from shared.model.sizes import item_size_bytes
from shared.model.values import Item, decode_item, encode_item, nesting_levels

update_too_large = "Item size to update has exceeded the maximum allowed size"
_too_deep = "Nesting Levels have exceeded supported limits"


class Decision(NamedTuple):
    """`kind` None: nothing is to be written. `attributes`: what ReturnValues asked for, encoded."""

    kind: Kind | None
    image: bytes | None
    attributes: bytes | None


_nothing = Decision(None, None, None)


def decide_put(image: bytes, stored: StoredItem | None, *, guard: Guard, wanted: ReturnValues) -> Decision:
    """Not given the command: its tree of attributes is to be let go while the write waits."""
    check_guard(guard, stored)
    return Decision(Kind.PUT, image, _old_image(stored) if wanted is ReturnValues.ALL_OLD else None)


def decide_delete(command: DeleteItem, stored: StoredItem | None) -> Decision:
    """A delete of what is not there writes nothing: no version, no tombstone, no change."""
    check_guard(command.guard, stored)
    old = _old_image(stored)
    if old is None:
        return _nothing
    return Decision(Kind.DELETE, None, old if command.return_values is ReturnValues.ALL_OLD else None)


def decide_update(
    command: UpdateItem, stored: StoredItem | None, *, indexes: Sequence[SecondaryIndex] = ()
) -> Decision:
    """`indexes` are those whose keys the item must suit afterwards."""
    check_guard(command.guard, stored)
    old = _old_image(stored)
    before = dict(command.key) if old is None else decode_item(old)
    if command.update is None:
        after, touched = before, None
    elif old is None and not command.update.creates:
        return _nothing
    else:
        updated = command.update.apply(before)
        after, touched = updated.item, updated.touched
        if item_size_bytes(after) > item_bytes_max:
            raise ValidationError(update_too_large)
        if any(nesting_levels(after[name]) > nesting_levels_max for name in command.update.paths if name in after):
            raise ValidationError(_too_deep)
        if indexes:
            check_updated_index_keys(indexes, after, command.update.paths)
            check_size_with_entries(indexes, after, update_too_large)
    image = encode_item(after)
    if command.return_values is ReturnValues.NONE:
        return Decision(Kind.PUT, image, None)
    if command.return_values is ReturnValues.ALL_NEW:
        return Decision(Kind.PUT, image, image)
    if command.return_values is ReturnValues.ALL_OLD:
        return Decision(Kind.PUT, image, old)
    shown: Item = {}
    if touched is not None and command.return_values is ReturnValues.UPDATED_NEW:
        shown = updated_attributes(after, touched)
    elif touched is not None and old is not None:
        shown = updated_attributes(before, touched)
    return Decision(Kind.PUT, image, encode_item(shown) if shown else None)


def check_guard(guard: Guard, stored: StoredItem | None) -> None:
    """Raises `ConditionalCheckFailedError` unless the guard holds of what is stored; a tombstone is an absent item."""
    if guard is no_guard:
        return
    image = _old_image(stored)
    holds = (
        (guard.condition is None or guard.condition.holds(None if image is None else decode_item(image)))
        and (guard.version is None or (stored is not None and image is not None and stored.version == guard.version))
        and not (guard.absent and image is not None)
        and not (guard.present and image is None)
    )
    if not holds:
        raise ConditionalCheckFailedError(item=image if guard.return_item_on_failure else None)


def _old_image(stored: StoredItem | None) -> bytes | None:
    return None if stored is None else stored.image
