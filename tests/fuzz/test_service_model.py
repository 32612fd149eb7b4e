"""Whatever is asked of a region, it answers in time and in the service's form, and goes on serving."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.answers import Answer, answer_s_max, fault_of
from tests.fuzz.campaign import logged_traces, prepare, run, still_serves
from tests.fuzz.requests_of_model import frequent_targets
from tests.fuzz.service_model import operations_by_target
from tests.rest.region_process import running_region

project = Path(__file__).parents[2]
seconds = 60.0
accepted_share_min = 0.3
accepted_share_of_each_min = 0.1
silent_port = 9  # "discard"

operations = operations_by_target()
put_item = operations["DynamoDB_20120810.PutItem"]
describe_table = operations["DynamoDB_20120810.DescribeTable"]
tag_resource = operations["DynamoDB_20120810.TagResource"]


@pytest.mark.timeout(240)
def test_whatever_is_asked_is_answered(tmp_path: Path) -> None:
    """Other requests every time; a failure names its seed. So many get through that engine and storage are met."""
    seed = random.SystemRandom().randrange(1_000_000_000)
    with running_region(tmp_path) as url:
        prepare(url)
        report = run(url, seed=seed, seconds=seconds)
        print(f"seed {seed}: {report}")
        assert not report.failures, "\n".join([*map(str, report.failures), logged_traces(tmp_path / "log")])
        assert still_serves(url), f"seed {seed}\n{logged_traces(tmp_path / 'log')}"
    assert set(report.asked) == set(operations)
    assert report.accepted.total() > accepted_share_min * report.asked.total()
    shares = {target: report.accepted[target] / report.asked[target] for target in frequent_targets}
    assert min(shares.values()) > accepted_share_of_each_min, shares


def test_a_region_that_is_gone_is_noticed() -> None:
    report = run(f"http://127.0.0.1:{silent_port}", seed=1, seconds=seconds)
    assert report.failures
    assert "no answer" in str(report.failures[0])
    assert report.answers.total() == 0


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answer(500, b'{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError"}', 0.1), "status 500"),
        (Answer(503, b'{"__type":"com.amazon.coral.service#ServiceUnavailable"}', 0.1), "status 503"),
        (Answer(404, b'{"__type":"com.amazon.coral.validate#ValidationException"}', 0.1), "status 404"),
        (Answer(200, b"{}", answer_s_max + 0.1), "answered after 5.1 s"),
        (Answer(200, b"", 0.1), "no JSON"),
        (Answer(200, b"<html/>", 0.1), "no JSON"),
        (Answer(400, b"Bad Request", 0.1), "no JSON"),
        (Answer(400, b"[]", 0.1), "a refusal without a type"),
        (Answer(400, b'{"message":"no"}', 0.1), "a refusal without a type"),
        (Answer(400, b'{"__type":"x#ExportNotFoundException"}', 0.1), "refused with ExportNotFoundException"),
        (Answer(200, b"[]", 0.1), "the reply is no structure"),
        (Answer(200, b'{"Item":{}}', 0.1), "the reply lacks [] and has ['Item']"),
        (Answer(200, b'{"Attributes":{"p":{"S":1}}}', 0.1), "the reply.Attributes['p'].S is no string"),
        (Answer(200, b'{"Attributes":{"p":{"S":"x","N":"1"}}}', 0.1), "the reply.Attributes['p'] is {'S'"),
        (Answer(200, b'{"ConsumedCapacity":{"CapacityUnits":true}}', 0.1), "CapacityUnits is no double"),
    ],
)
def test_a_doctored_answer_is_noticed(answer: Answer, fault: str) -> None:
    assert fault in str(fault_of(answer, put_item))


def test_words_that_the_model_does_not_know_are_noticed() -> None:
    answer = Answer(200, b'{"Table":{"TableStatus":"SLEEPING"}}', 0.1)
    assert fault_of(answer, describe_table) == "the reply.Table.TableStatus is 'SLEEPING'"
    assert fault_of(Answer(200, b"{}", 0.1), tag_resource) == "says something"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b'{"Attributes":{"p":{"L":[{"M":{}}]}},"ConsumedCapacity":{"CapacityUnits":1}}', 0.1),
        Answer(400, b'{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}', 0.1),
    ],
)
def test_a_good_answer_has_no_fault(answer: Answer) -> None:
    assert fault_of(answer, put_item) is None


def test_a_seed_draws_the_same_requests_in_every_process() -> None:
    """Otherwise a failure could not be looked at again."""
    command = [sys.executable, "-m", "tests.fuzz", "--seed", "3", "--show", "300"]
    first, second = (
        subprocess.run(command, cwd=project, env={"PYTHONHASHSEED": hash_seed}, capture_output=True, check=True).stdout
        for hash_seed in ("1", "2")
    )
    assert len(first.splitlines()) == 900
    assert first == second
