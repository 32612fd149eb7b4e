"""How soon a write is seen in another region, while all regions write at a steady rate."""

import asyncio
import json

from services.lab.load import table_name
from tests.faults.judgement import heal_patience_s
from tests.faults.lab import Lab

slack = 3  # the bounds are promised for two free cores; tests share theirs
p50_max_s = 0.050
p99_max_s = 0.250


async def test_changes_arrive_in_time_at_a_hundred_writes_a_second(running_lab: Lab) -> None:
    words = ("load", "--rate", "100", "--seconds", "10", "--seed", "3", "--json")
    document = json.loads(await asyncio.to_thread(running_lab.run_well, *words))
    assert all(region["errors"] == {} for region in document["regions"])
    for link in document["links"]:
        p50_s, p99_s = link["seen_after_p50_s"], link["seen_after_p99_s"]
        print(f"{link['source']} -> {link['target']}: p50 {p50_s * 1000:.0f} ms, p99 {p99_s * 1000:.0f} ms")
    assert all(link["unseen"] == 0 for link in document["links"])
    assert max(link["seen_after_p50_s"] for link in document["links"]) < p50_max_s * slack
    assert max(link["seen_after_p99_s"] for link in document["links"]) < p99_max_s * slack
    assert running_lab.differences(table_name, patience_s=heal_patience_s) == ""
