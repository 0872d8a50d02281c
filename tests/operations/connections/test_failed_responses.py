"""A response whose application fails after it has begun."""

from operations.connections.http_channel import LimitedRequest
from tests.operations.connections.channel import Connection


class Begun(LimitedRequest):
    """Begins its response, then fails."""

    def process(self) -> None:
        self._response_started = True
        self.write(b"begun")
        self.handle_exception(ValueError())


def test_the_connection_is_broken_because_nothing_else_can_say_so():
    connection = Connection()
    connection.channel.requestFactory = Begun
    connection.request()
    assert "begun" in connection.response
    assert connection.transport.disconnected
