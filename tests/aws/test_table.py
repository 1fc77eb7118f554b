"""What the store expects of DynamoDB, call by call, with the expressions of shared/runtime/src/store."""

import uuid

import pytest
from botocore.exceptions import ClientError
from calls import code, key, n, refusal, s

NEW = "attribute_not_exists(pk)"
KILOBYTE = 1_024


@pytest.fixture
def update(aws, table):
    """Updates an item. Names and values of the expression are omitted if there are none."""

    def update(pk, expression, values=None, names=None, **request):
        if values:
            request["ExpressionAttributeValues"] = values
        if names:
            request["ExpressionAttributeNames"] = names
        return aws.dynamodb.update_item(TableName=table, Key=key(pk), UpdateExpression=expression, **request)

    return update


@pytest.fixture
def holds(update):
    """Returns whether the condition of an update held."""

    def holds(*arguments, **request):
        try:
            update(*arguments, **request)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ConditionalCheckFailedException"
            return False
        return True

    return holds


# ---------------------------------------------------------------- the table


def test_the_table_has_the_keys_and_indexes_of_the_template(aws, table):
    about = aws.dynamodb.describe_table(TableName=table)["Table"]
    assert about["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert {each["IndexName"]: each["Projection"]["ProjectionType"] for each in about["GlobalSecondaryIndexes"]} == {
        "by_external_id": "KEYS_ONLY",
        "by_state": "ALL",
    }


def test_items_can_expire(aws, table):
    specification = {"AttributeName": "expires", "Enabled": True}
    aws.dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=specification)
    about = aws.dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert about["AttributeName"] == "expires" and about["TimeToLiveStatus"] in ("ENABLING", "ENABLED")


# ---------------------------------------------------------------- PutItem, DeleteItem


def test_a_second_put_of_a_new_item_is_refused_with_the_first(aws, table, pk):
    def request(text):
        return {
            "TableName": table,
            "Item": key(pk) | {"json": s(text)},
            "ConditionExpression": NEW,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    aws.dynamodb.put_item(**request("first"))
    refused = refusal(aws.dynamodb.put_item, **request("second"))
    assert refused["Error"]["Code"] == "ConditionalCheckFailedException"
    assert refused["Item"] == key(pk) | {"json": s("first")}


def test_a_refused_put_of_no_item_returns_none(aws, table, pk):
    refused = refusal(
        aws.dynamodb.put_item,
        TableName=table,
        Item=key(pk),
        ConditionExpression="version = :version",
        ExpressionAttributeValues={":version": n(1)},
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
    assert refused["Error"]["Code"] == "ConditionalCheckFailedException" and not refused.get("Item")


def test_a_hint_is_replaced_by_its_own_leg_or_when_it_has_expired(aws, table, pk, get):
    def put(leg, now, until, **attributes):
        aws.dynamodb.put_item(
            TableName=table,
            Item=key(pk) | {"leg": s(leg), "until": s(until)} | attributes,
            ConditionExpression=f"{NEW} OR #until < :now OR (leg = :leg AND attribute_not_exists(ambiguous))",
            ExpressionAttributeNames={"#until": "until"},
            ExpressionAttributeValues={":now": s(now), ":leg": s(leg)},
        )

    put("a", "2026-01-01T00:00", "2026-01-01T00:01")
    put("a", "2026-01-01T00:00", "2026-01-01T00:02")
    with pytest.raises(ClientError):
        put("b", "2026-01-01T00:01", "2026-01-01T00:03")
    put("b", "2026-01-01T00:03", "2026-01-01T00:04", ambiguous={"BOOL": True})
    with pytest.raises(ClientError):
        put("b", "2026-01-01T00:03", "2026-01-01T00:05")
    assert get(pk)["until"] == s("2026-01-01T00:04")


def test_a_delete_returns_the_item_that_it_deleted(aws, table, pk, put):
    put(pk, json=s("x"))
    request = {"TableName": table, "Key": key(pk), "ReturnValues": "ALL_OLD"}
    assert aws.dynamodb.delete_item(**request)["Attributes"] == key(pk) | {"json": s("x")}
    assert not aws.dynamodb.delete_item(**request).get("Attributes")


@pytest.mark.parametrize("size", [0, 2_049])
def test_a_partition_key_has_1_to_2048_bytes(put, size):
    assert code(put, pk="x" * size) == "ValidationException"


def test_a_sort_key_has_at_most_1024_bytes(put, pk):
    put(pk, "x" * 1_024)
    assert code(put, pk=pk, sk="x" * 1_025) == "ValidationException"


def test_the_key_of_an_index_has_at_most_2048_bytes(put, pk):
    put(pk, ext=s("x" * 2_048))
    assert code(put, pk=pk, ext=s("x" * 2_049)) == "ValidationException"


def test_the_key_of_an_index_is_not_empty(put, pk):
    assert code(put, pk=pk, ext=s("")) == "ValidationException"


def test_an_item_has_at_most_400_kb(put, pk):
    put(pk, json=s("x" * 399 * KILOBYTE))
    assert code(put, pk=pk, json=s("x" * 400 * KILOBYTE)) == "ValidationException"


# ---------------------------------------------------------------- UpdateItem


def test_failures_are_counted_from_one(update, pk):
    count = {"expression": "ADD failures :one", "values": {":one": n(1)}, "ReturnValues": "ALL_NEW"}
    assert update(pk, **count)["Attributes"] == key(pk) | {"failures": n(1)}
    assert update(pk, **count)["Attributes"] == key(pk) | {"failures": n(2)}


def test_several_counters_and_the_expiry_are_updated_together(update, pk, get):
    for _ in range(2):
        updated = update(
            pk,
            "ADD #n0 :n0, #n1 :n1 SET #expires = :expires",
            {":n0": n(2), ":n1": n(3), ":expires": n(9)},
            {"#n0": "n_accepted", "#n1": "n_failed", "#expires": "expires"},
            ReturnValues="UPDATED_NEW",
        )
    expected = {"n_accepted": n(4), "n_failed": n(6), "expires": n(9)}
    assert updated["Attributes"] == expected and get(pk) == key(pk) | expected


def test_a_breaker_opens_once_and_closes_once(update, holds, pk, get):
    values = {":now": s("2026-01-01")}
    assert holds(pk, "SET opened_at = :now", values, ConditionExpression="attribute_not_exists(opened_at)")
    assert not holds(pk, "SET opened_at = :now", values, ConditionExpression="attribute_not_exists(opened_at)")
    # The breaker was never probed: removing an attribute that does not exist is no error.
    close = ("SET failures = :zero REMOVE opened_at, probed_at", {":zero": n(0)})
    assert holds(pk, *close, ConditionExpression="attribute_exists(opened_at)")
    assert not holds(pk, *close, ConditionExpression="attribute_exists(opened_at)")
    assert get(pk) == key(pk) | {"failures": n(0)}


def test_a_breaker_is_probed_by_one_worker(holds, put, pk):
    put(pk, opened_at=s("10"))
    condition = "opened_at = :opened AND (attribute_not_exists(probed_at) OR probed_at <= :last)"

    def probe(now, last, opened="10"):
        values = {":now": s(now), ":last": s(last), ":opened": s(opened)}
        return holds(pk, "SET probed_at = :now", values, ConditionExpression=condition)

    assert [probe("20", "15"), probe("21", "15"), probe("30", "20"), probe("40", "30", "11")] == [True, False, True, False]


def test_a_lease_changes_its_holder_when_it_expires_or_is_handed_on(holds, pk):
    def take(holder, now, before=None):
        return holds(
            pk,
            "SET holder = :holder, #until = :until",
            {":holder": s(holder), ":until": s(now + "5"), ":now": s(now), ":before": s(before or holder)},
            {"#until": "until"},
            ConditionExpression=f"{NEW} OR #until < :now OR holder = :holder OR holder = :before",
        )

    taken = [take("a", "1"), take("b", "1"), take("a", "1"), take("b", "1", "a"), take("c", "2")]
    assert taken == [True, False, True, True, True]


def test_an_outcome_is_recorded_in_the_map_of_its_event(update, put, pk, get):
    put(pk, outcomes={"M": {}})
    update(
        pk,
        "SET outcomes.#target = :outcome, ext = :ext",
        {":outcome": s("{}"), ":ext": s("a#1")},
        {"#target": "own-bot#0"},
        ConditionExpression="attribute_exists(pk)",
    )
    assert get(pk)["outcomes"] == {"M": {"own-bot#0": s("{}")}} and get(pk)["ext"] == s("a#1")


def test_an_outcome_of_an_expired_event_creates_nothing(holds, pk, get):
    expression = ("SET outcomes.#target = :outcome", {":outcome": s("{}")}, {"#target": "bot"})
    assert not holds(pk, *expression, ConditionExpression="attribute_exists(pk)")
    assert get(pk) is None


def test_a_path_without_its_map_is_refused(update, put, pk):
    put(pk)
    expression = {"expression": "SET outcomes.#t = :o", "values": {":o": s("x")}, "names": {"#t": "bot"}}
    assert code(update, pk=pk, **expression) == "ValidationException"


@pytest.mark.parametrize("word", ["until", "list", "status"])
def test_a_reserved_word_must_be_replaced(update, pk, word):
    assert code(update, pk=pk, expression=f"SET {word} = :x", values={":x": s("x")}) == "ValidationException"


@pytest.mark.parametrize("unused", [{"values": {":x": s("x"), ":y": s("y")}}, {"names": {"#y": "y"}}])
def test_an_unused_value_or_name_is_refused(update, pk, unused):
    request = {"expression": "SET x = :x", "values": {":x": s("x")}} | unused
    assert code(update, pk=pk, **request) == "ValidationException"


# ---------------------------------------------------------------- TransactWriteItems


def put_write(table, pk, sk="A", version=None, **attributes):
    """Returns a put of a transaction: as transaction.rs does, with the condition that the item is new or has a version."""
    written = {"TableName": table, "Item": key(pk, sk) | attributes, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    if version is None:
        return {"Put": written | {"ConditionExpression": NEW}}
    values = {":version": n(version)}
    return {"Put": written | {"ConditionExpression": "version = :version", "ExpressionAttributeValues": values}}


def test_a_transaction_writes_all(aws, table, pk, put, get):
    put(pk, "C")
    without_condition = put_write(table, pk, "B")
    del without_condition["Put"]["ConditionExpression"]
    writes = [put_write(table, pk, "A"), without_condition, {"Delete": {"TableName": table, "Key": key(pk, "C")}}]
    aws.dynamodb.transact_write_items(TransactItems=writes)
    assert [get(pk, sk) for sk in "ABC"] == [key(pk, "A"), key(pk, "B"), None]


def test_a_cancelled_transaction_names_the_failed_write_and_its_item(aws, table, pk, put, get):
    put(pk, "B", version=n(2))
    writes = [put_write(table, pk, "A"), put_write(table, pk, "B", version=1), put_write(table, pk, "C")]
    refused = refusal(aws.dynamodb.transact_write_items, TransactItems=writes)
    assert refused["Error"]["Code"] == "TransactionCanceledException"
    reasons = refused["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed", "None"]
    assert reasons[1]["Item"] == key(pk, "B") | {"version": n(2)}
    assert get(pk, "A") is None and get(pk, "C") is None


def test_a_transaction_writes_an_item_once(aws, table, pk, get):
    writes = [put_write(table, pk), {"Delete": {"TableName": table, "Key": key(pk)}}]
    assert code(aws.dynamodb.transact_write_items, TransactItems=writes) == "ValidationException"
    assert get(pk) is None


def test_a_repeated_transaction_has_one_effect(aws, table, pk):
    """The SDK repeats a transaction with the token of its first attempt if the answer is lost."""
    request = {"TransactItems": [put_write(table, pk)], "ClientRequestToken": uuid.uuid4().hex}
    aws.dynamodb.transact_write_items(**request)
    aws.dynamodb.transact_write_items(**request)
    other = request | {"TransactItems": [put_write(table, pk, "B")]}
    assert code(aws.dynamodb.transact_write_items, **other) == "IdempotentParameterMismatchException"


def test_a_transaction_has_at_most_100_writes(aws, table, pk):
    writes = [put_write(table, pk, f"{index:03}") for index in range(101)]
    aws.dynamodb.transact_write_items(TransactItems=writes[:100])
    assert code(aws.dynamodb.transact_write_items, TransactItems=writes) == "ValidationException"


def test_a_transaction_has_at_most_4_mb(aws, table, pk):
    writes = [put_write(table, pk, f"{index:03}", json=s("x" * 390 * KILOBYTE)) for index in range(11)]
    assert code(aws.dynamodb.transact_write_items, TransactItems=writes) == "ValidationException"


# ---------------------------------------------------------------- BatchGetItem, BatchExecuteStatement


def test_a_batch_returns_the_items_that_exist(aws, table, pk, put):
    put(pk, "A")
    wanted = {table: {"Keys": [key(pk, "A"), key(pk, "B")], "ConsistentRead": True}}
    answer = aws.dynamodb.batch_get_item(RequestItems=wanted)
    assert answer["Responses"][table] == [key(pk, "A")] and not answer["UnprocessedKeys"]


def test_a_batch_reads_a_key_once(aws, table, pk):
    wanted = {table: {"Keys": [key(pk), key(pk)]}}
    assert code(aws.dynamodb.batch_get_item, RequestItems=wanted) == "ValidationException"


def test_a_batch_reads_at_most_100_keys(aws, table, pk):
    wanted = {table: {"Keys": [key(pk, f"{index}") for index in range(101)]}}
    assert code(aws.dynamodb.batch_get_item, RequestItems=wanted) == "ValidationException"


def test_a_batch_returns_at_most_16_mb_and_names_the_rest(aws, table, pk, put):
    keys = [key(pk, f"{index:03}") for index in range(45)]
    for each in keys:
        put(pk, each["sk"]["S"], json=s("x" * 390 * KILOBYTE))
    answer = aws.dynamodb.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
    found, rest = answer["Responses"][table], answer["UnprocessedKeys"][table]["Keys"]
    assert len(found) <= 42 and rest
    assert sorted(each["sk"]["S"] for each in found + rest) == [each["sk"]["S"] for each in keys]


def statement(table, pk, ext=None):
    """Returns the statement that records an outcome."""
    text = f"UPDATE \"{table}\" SET outcomes.\"own-bot#0\"=?{' SET ext=?' if ext else ''} WHERE pk=? AND sk=?"
    return {"Statement": text, "Parameters": [s("{}"), *([s(ext)] if ext else []), s(pk), s("A")]}


@pytest.fixture
def execute(aws):
    """Executes statements and returns the error code of each."""

    def execute(*statements):
        responses = aws.dynamodb.batch_execute_statement(Statements=list(statements))["Responses"]
        return [response.get("Error", {}).get("Code") for response in responses]

    return execute


RECORDED = {"own-bot#0": s("{}")}


def test_a_statement_records_an_outcome(table, pk, put, get, execute):
    put(pk, outcomes={"M": {"bot": s("1")}})
    assert execute(statement(table, pk)) == [None]
    assert get(pk) == key(pk) | {"outcomes": {"M": {"bot": s("1")} | RECORDED}}


def test_a_statement_records_an_outcome_and_an_external_id(table, pk, put, get, execute):
    put(pk, outcomes={"M": {}})
    assert execute(statement(table, pk, ext="b#1")) == [None]
    assert get(pk) == key(pk) | {"outcomes": {"M": RECORDED}, "ext": s("b#1")}


def test_statements_of_a_batch_succeed_or_fail_one_by_one(table, pk, put, get, execute):
    for each in (pk, f"{pk}#b"):
        put(each, outcomes={"M": {}})
    codes = execute(*(statement(table, each) for each in (pk, f"{pk}#none", f"{pk}#b")))
    assert codes == [None, "ConditionalCheckFailed", None]
    assert get(pk)["outcomes"] == get(f"{pk}#b")["outcomes"] == {"M": RECORDED} and get(f"{pk}#none") is None


def test_a_statement_without_its_map_fails_alone(table, pk, put, get, execute):
    put(pk)
    put(f"{pk}#b", outcomes={"M": {}})
    assert execute(statement(table, pk), statement(table, f"{pk}#b")) == ["ValidationError", None]
    assert get(pk) == key(pk) and get(f"{pk}#b")["outcomes"] == {"M": RECORDED}


def test_a_batch_has_at_most_25_statements(aws, table, pk):
    statements = [statement(table, f"{pk}#{index}") for index in range(26)]
    assert code(aws.dynamodb.batch_execute_statement, Statements=statements) == "ValidationException"
