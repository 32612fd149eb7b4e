"""ReplicaUpdates on a definition: settings of single replicas come, merge, equal the table's, and go again."""

from dataclasses import replace

import pytest

from services.region.commands.tables import EncryptionChange, UpdateTable
from services.region.rules.arns import Arns
from services.region.rules.replica_updates import with_changed_replicas
from services.region.rules.table_settings import with_changed_settings
from shared.errors import ValidationError
from shared.model.keys import KeyAttribute, KeySchema
from shared.model.tables import (
    BillingMode,
    Encryption,
    Generation,
    RegionName,
    ReplicaIndexSettings,
    ReplicaSettings,
    TableClass,
    TableDefinition,
)

here, there, elsewhere = RegionName("here"), RegionName("there"), RegionName("elsewhere")
definition = TableDefinition(
    generation=Generation(bytes(16)),
    name="orders",
    key_schema=KeySchema(KeyAttribute("p", "S")),
    partition_count=4,
    replicas=(here, there),
    created_us=0,
    read_capacity_units=5,
    write_capacity_units=5,
)


def changed(present: TableDefinition, **wanted: object) -> TableDefinition:
    command = UpdateTable("orders", **wanted)  # type: ignore[arg-type]
    return with_changed_replicas(present, command, here=here, known=(here, there, elsewhere))


def test_a_replica_keeps_what_is_not_spoken_of() -> None:
    first = changed(definition, changed_replicas=[ReplicaSettings(there, read_capacity_units=7)])
    index = ReplicaIndexSettings("by-date", 3)
    second = changed(first, changed_replicas=[ReplicaSettings(there, indexes=(index,))])
    assert second.settings.of_replica(there) == ReplicaSettings(there, read_capacity_units=7, indexes=(index,))
    assert second.settings.of_replica(here) == ReplicaSettings(here)


def test_what_equals_the_tables_own_is_no_setting() -> None:
    seven = changed(definition, changed_replicas=[ReplicaSettings(there, read_capacity_units=7)])
    assert changed(seven, changed_replicas=[ReplicaSettings(there, read_capacity_units=5)]) == definition


def test_settings_go_with_the_replica() -> None:
    seven = changed(definition, changed_replicas=[ReplicaSettings(there, read_capacity_units=7)])
    removed = changed(seven, remove_replicas=[there])
    assert (removed.replicas, removed.settings.replicas) == ((here,), ())


def test_a_region_that_is_named_twice_is_added_once() -> None:
    assert changed(definition, add_replicas=[elsewhere, elsewhere]).replicas == (here, there, elsewhere)


def test_keys_are_changed_in_all_replicas_at_once() -> None:
    """Terraform gives the asked region's key as an update of its replica too."""
    theirs, own = ReplicaSettings(there, encryption_key="theirs"), ReplicaSettings(here, encryption_key="own")
    rekeyed = changed(definition, changed_replicas=[theirs, own])
    assert (rekeyed.settings.encryption, rekeyed.settings.replicas) == (Encryption(), (theirs, own))
    with pytest.raises(ValidationError, match="KMSMasterKeyId must be specified for each replica"):
        changed(definition, changed_replicas=[theirs])
    command = UpdateTable("orders", encryption=EncryptionChange(Encryption("new")))
    everywhere = with_changed_settings(rekeyed, command, now_us=9, arns=Arns(here, "000000000000"))
    assert (everywhere.settings.encryption, everywhere.settings.replicas) == (Encryption("new"), ())


def test_a_class_for_the_table_is_every_replicas() -> None:
    infrequent = TableClass.STANDARD_INFREQUENT_ACCESS
    own = changed(definition, changed_replicas=[ReplicaSettings(there, table_class=infrequent)])
    command = UpdateTable("orders", table_class=infrequent)
    everywhere = with_changed_settings(own, command, now_us=9, arns=Arns(here, "000000000000"))
    assert everywhere.settings.replicas == ()
    assert (everywhere.settings.table_class, everywhere.settings.table_class_changed_us) == (infrequent, 9)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"add_replicas": [here]}, "Cannot add or delete the local region through ReplicaUpdates."),
        ({"remove_replicas": [here]}, "Cannot add or delete the local region through ReplicaUpdates."),
        ({"add_replicas": ["mars"]}, "Region mars is not supported."),
        ({"add_replicas": [there]}, "because one or more replicas already existed as tables."),
        (
            {"remove_replicas": [elsewhere]},
            (
                "Update global table operation failed because one or more replicas were not part of the global table. "
                "Please retry the request without these replicas: [elsewhere]."
            ),
        ),
    ],
)
def test_replicas_that_cannot_be(wanted: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        changed(definition, **wanted)
    assert message in refusal.value.message


@pytest.mark.parametrize("wanted", [{"remove_replicas": [there]}, {"changed_replicas": [ReplicaSettings(there)]}])
def test_a_table_of_one_region_has_no_replica_to_change(wanted: dict[str, object]) -> None:
    """Terraform deletes a table together with replicas that are gone by then, and knows these words for it."""
    alone = replace(definition, replicas=(here,))
    with pytest.raises(ValidationError, match="Replica Delete action of the request was not found"):
        changed(alone, **wanted)


def test_an_on_demand_replica_has_no_capacity() -> None:
    on_demand = replace(definition, billing_mode=BillingMode.PAY_PER_REQUEST)
    with pytest.raises(ValidationError, match="can be specified when BillingMode is PAY_PER_REQUEST"):
        changed(on_demand, changed_replicas=[ReplicaSettings(there, read_capacity_units=7)])
