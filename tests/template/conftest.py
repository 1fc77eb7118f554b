import pytest
from stack import KEY, Stack


@pytest.fixture(scope="session")
def plain():
    """The stack with default parameters."""
    return Stack()


@pytest.fixture(scope="session")
def full():
    """The stack with every optional feature enabled."""
    return Stack(
        KeyArn=KEY,
        Tracing="xray",
        AlarmEmail="ops@example.com",
        AlarmTopicArn="arn:aws:sns:eu-central-1:123456789012:ops",
        DomainName="trunkline.example.com",
        CertificateArn="arn:aws:acm:eu-central-1:123456789012:certificate/1",
        HostedZoneId="Z1",
        StageName="prod",
        JwtIssuer="https://login.example.com",
        InboundConcurrency="20",
    )


@pytest.fixture(scope="session", params=["plain", "full"])
def stack(request):
    """Both stacks."""
    return request.getfixturevalue(request.param)
