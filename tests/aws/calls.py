"""Helpers of the contract: attribute values of DynamoDB, and the errors of calls that must fail."""

import pytest
from botocore.exceptions import ClientError


def s(text):
    return {"S": text}


def n(number):
    return {"N": str(number)}


def key(pk, sk="A"):
    return {"pk": s(pk), "sk": s(sk)}


def refusal(call, **request):
    """Returns the response of a call that must fail."""
    with pytest.raises(ClientError) as raised:
        call(**request)
    return raised.value.response


def code(call, **request):
    """Returns the error code of a call that must fail, without its namespace."""
    return refusal(call, **request)["Error"]["Code"].rsplit(".", 1)[-1]
