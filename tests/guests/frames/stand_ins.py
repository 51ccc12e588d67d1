"""Python code in the place of the C module or type of sockets: a bind runs none of it."""
import _socket
import sys
from unittest import mock

real = _socket.socket


class Printing(type(sys)):
    def __getattribute__(self, name):
        print(name, "was read")
        raise AttributeError(name)


class Socket:
    def fileno(self):
        print("fileno was called")
        return 0


def binds():
    probe = real()
    probe.bind(("127.0.0.1", 0))
    probe.close()


for stand_in in mock.MagicMock(), Printing("_socket"), None:
    with mock.patch.dict(sys.modules, _socket=stand_in):
        binds()
    if isinstance(stand_in, mock.MagicMock):
        print(stand_in.mock_calls, stand_in._mock_children)
for stand_in in mock.MagicMock(), Socket:
    with mock.patch.object(_socket, "socket", stand_in):
        binds()
    print(vars(stand_in).get("_mock_children"))
binds()
