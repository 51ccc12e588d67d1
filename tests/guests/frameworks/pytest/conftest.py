"""A suite with one racy helper, free_port; $RACY=no takes a port that is kept instead."""

import os
import pathlib
import socket
import time

import pytest

MEETING = pathlib.Path(os.environ.get("MEETING", "."))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(name):
    """Until the other test has come so far: what else may take hours to happen."""
    end = time.monotonic() + 20
    while not (MEETING / name).exists() and time.monotonic() < end:
        time.sleep(0.01)


def note(name):
    (MEETING / name).touch()


@pytest.fixture
def serve():
    """Serves until the other test has tried to."""

    def serving(me, other, first):
        if not first:
            wait_for(f"{other}-picked")
        port = free_port() if os.environ.get("RACY") != "no" else 0
        note(f"{me}-picked")
        wait_for(f"{other}-picked")
        if not first:
            wait_for(f"{other}-tried")
        try:
            with socket.create_server(("127.0.0.1", port)):
                note(f"{me}-tried")
                wait_for(f"{other}-tried")
        finally:
            note(f"{me}-tried")

    return serving
