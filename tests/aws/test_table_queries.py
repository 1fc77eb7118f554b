"""What the store expects of the queries of DynamoDB."""

import pytest
from calls import code, key, s

KILOBYTE = 1_024


@pytest.fixture
def query(aws, table):
    """Queries the table."""

    def query(condition, values, **request):
        request = {"ConsistentRead": True} | request
        return aws.dynamodb.query(
            TableName=table, KeyConditionExpression=condition, ExpressionAttributeValues=values, **request
        )

    return query


def sort_keys(answer):
    return [item["sk"]["S"] for item in answer["Items"]]


@pytest.fixture
def partition(put, pk):
    """A partition with items of two prefixes."""
    for sk in ("E#1", "E#2", "E#3", "E#4", "L#1"):
        put(pk, sk)
    return pk


def test_a_query_reads_a_prefix_in_pages(query, partition):
    condition, values = "pk = :pk AND begins_with(sk, :prefix)", {":pk": s(partition), ":prefix": s("E#")}
    first = query(condition, values, Limit=3)
    assert sort_keys(first) == ["E#1", "E#2", "E#3"] and first["LastEvaluatedKey"] == key(partition, "E#3")
    second = query(condition, values, Limit=3, ExclusiveStartKey=first["LastEvaluatedKey"])
    assert sort_keys(second) == ["E#4"] and "LastEvaluatedKey" not in second


def test_a_query_continues_after_an_item_that_is_gone(query, partition):
    values = {":pk": s(partition)}
    assert sort_keys(query("pk = :pk", values, ExclusiveStartKey=key(partition, "E#25"))) == ["E#3", "E#4", "L#1"]
    backwards = query("pk = :pk", values, ExclusiveStartKey=key(partition, "E#25"), ScanIndexForward=False, Limit=1)
    assert sort_keys(backwards) == ["E#2"] and backwards["LastEvaluatedKey"] == key(partition, "E#2")


def test_a_query_starts_within_its_range(query, partition):
    """Each caller of the store continues with the last key of the page before, which is within the range."""
    values = {":pk": s(partition), ":x": s("E#3")}
    refused = code(query, condition="pk = :pk AND sk >= :x", values=values, ExclusiveStartKey=key(partition, "E#1"))
    assert refused == "ValidationException"


def test_a_query_starts_in_its_partition(query, partition):
    refused = code(query, condition="pk = :pk", values={":pk": s(partition)}, ExclusiveStartKey=key("TEST#other", "E#1"))
    assert refused == "ValidationException"


def test_a_query_reads_a_range_backwards(query, partition):
    values = {":pk": s(partition), ":first": s("E#2"), ":last": s("E#4")}
    found = query("pk = :pk AND sk BETWEEN :first AND :last", values, ScanIndexForward=False)
    assert sort_keys(found) == ["E#4", "E#3", "E#2"]


@pytest.mark.parametrize(("condition", "expected"), [("sk < :x", ["E#1", "E#2"]), ("sk >= :x", ["E#3", "E#4", "L#1"])])
def test_a_query_reads_up_to_or_from_a_key(query, partition, condition, expected):
    assert sort_keys(query(f"pk = :pk AND {condition}", {":pk": s(partition), ":x": s("E#3")})) == expected


def test_a_query_sorts_by_bytes(query, put, pk):
    order = ["B", "a", "~", "é", "\U00010000"]
    for sk in reversed(order):
        put(pk, sk)
    assert sort_keys(query("pk = :pk", {":pk": s(pk)})) == order


def test_an_empty_range_is_refused(query, pk):
    values = {":pk": s(pk), ":first": s("b"), ":last": s("a")}
    refused = code(query, condition="pk = :pk AND sk BETWEEN :first AND :last", values=values)
    assert refused == "ValidationException"


def test_an_empty_key_cannot_be_queried(query, pk):
    refused = code(query, condition="pk = :pk AND sk >= :first", values={":pk": s(pk), ":first": s("")})
    assert refused == "ValidationException"


def test_a_page_has_at_most_1_mb(query, put, pk):
    for index in range(4):
        put(pk, f"{index}", json=s("x" * 300 * KILOBYTE))
    page = query("pk = :pk", {":pk": s(pk)}, Limit=10)
    assert sort_keys(page) == ["0", "1", "2"]
    rest = query("pk = :pk", {":pk": s(pk)}, ExclusiveStartKey=page["LastEvaluatedKey"])
    assert sort_keys(rest) == ["3"] and "LastEvaluatedKey" not in rest


def test_the_index_of_external_ids_has_keys_only(query, put, pk):
    put(pk, "A", ext=s(pk), json=s("x"))
    put(pk, "B", json=s("x"))
    found = query("ext = :ext", {":ext": s(pk)}, IndexName="by_external_id", ConsistentRead=False, Limit=1)
    assert found["Items"] == [key(pk, "A") | {"ext": s(pk)}]


def test_the_index_of_lists_has_whole_items_in_order(query, put, pk):
    for index in range(3):
        put(pk, f"{index}", list=s(pk), changed=s(f"2026-01-0{index}"), json=s("x"))
    found = query(
        "#list = :list AND #changed BETWEEN :lower AND :upper",
        {":list": s(pk), ":lower": s("0"), ":upper": s("2026-01-01")},
        ExpressionAttributeNames={"#list": "list", "#changed": "changed"},
        IndexName="by_state",
        ConsistentRead=False,
        ScanIndexForward=False,
    )
    assert sort_keys(found) == ["1", "0"] and all(item["json"] == s("x") for item in found["Items"])


def test_a_moved_conversation_is_in_one_list(query, put, pk):
    for state in ("bot", "desk"):
        put(pk, list=s(f"{pk}#{state}"), changed=s("2026"))
    for state, expected in (("bot", []), ("desk", ["A"])):
        names = {"#list": "list"}
        found = query(
            "#list = :list",
            {":list": s(f"{pk}#{state}")},
            ExpressionAttributeNames=names,
            IndexName="by_state",
            ConsistentRead=False,
        )
        assert sort_keys(found) == expected


def test_an_index_has_no_consistent_reads(query, pk):
    request = {"condition": "ext = :ext", "values": {":ext": s(pk)}, "IndexName": "by_external_id"}
    assert code(query, **request, ConsistentRead=True) == "ValidationException"
