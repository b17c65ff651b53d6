"""Ports and addresses, asked from the machine the tests run on."""

from __future__ import annotations

import os
import socket

import pytest

from reprise.standalone.addresses import addresses
from reprise.standalone.ports import busy_port, free_port


def test_a_free_port_is_not_busy() -> None:
    assert busy_port("127.0.0.1", free_port("127.0.0.1")) is None
    assert busy_port("0.0.0.0", 0) is None


@pytest.mark.parametrize("asked", ["127.0.0.1", "0.0.0.0"])
def test_a_busy_port_names_its_process(asked: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = busy_port(asked, taken.getsockname()[1])
    assert busy is not None
    assert busy.occupant is not None
    assert busy.occupant.pid == os.getpid()
    assert f"(pid {os.getpid()})" in str(busy)


def test_a_host_that_is_not_ours_is_told_as_such() -> None:
    busy = busy_port("203.0.113.7", 7373)
    assert busy is not None
    assert busy.occupant is None
    assert "can't be used" in str(busy)


def test_connections_of_an_earlier_run_do_not_count() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = server.accept()
            accepted.close()
    assert busy_port("127.0.0.1", port) is None


def test_everywhere_means_this_machine_and_containers() -> None:
    found = addresses("0.0.0.0", 7373)
    assert found.here == "http://localhost:7373"
    assert "http://host.docker.internal:7373" in found.containers
    assert not [url for url in found.network if "127.0.0.1" in url or "localhost" in url]


def test_loopback_is_offered_to_nobody_else() -> None:
    for host in ("127.0.0.1", "localhost", "::1"):
        found = addresses(host, 7373)
        assert found.network == ()
        assert found.containers == ()
    assert addresses("::1", 7373).here == "http://[::1]:7373"


def test_one_address_is_offered_as_it_is() -> None:
    assert addresses("192.168.1.5", 80).network == ("http://192.168.1.5:80",)
