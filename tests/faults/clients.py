"""The clients that are compared: how the driver of each is started, and what it is told of the servers.

May import: the standard library. Used by the runs and by the main program. SHOAL_BUILD is the folder of the build.
"""
from __future__ import annotations

import os
import pathlib
from dataclasses import dataclass

# What Shoal does with keys whose node is down.
ON_NODE_FAILURE = "failover"
OPERATION_TIMEOUT_MS = 200
DRIVERS = pathlib.Path(__file__).resolve().parent / "drivers"
ROOT = DRIVERS.parents[2]
BUILD = (ROOT / os.environ.get("SHOAL_BUILD", "build/release")).resolve()

C = [str(BUILD / "tests/faults/faults_load")]
PYTHON = ["/usr/bin/python3", "-B", str(DRIVERS / "load.py")]
RUBY = ["/usr/bin/ruby", "-I", str(BUILD / "bindings/ruby/lib"), str(DRIVERS / "load.rb")]
PHP = ["php", "-d", "display_errors=stderr", str(DRIVERS / "load.php")]
SHOAL_PHP = [*PHP[:1], "-d", f"extension={BUILD}/bindings/php/modules/shoal.so", *PHP[1:]]


@dataclass(frozen=True)
class Client:
    """One row of the comparison. Shoal is given an endpoint with options, the others a list of servers."""

    name: str
    command: list[str]
    is_shoal: bool = False
    speaks: str = "classic"

    def servers(self, endpoint: str, nodes: list[str], options: dict[str, str]) -> str:
        """The argument of its driver."""
        if not self.is_shoal:
            return ",".join(nodes)
        chosen = {"operation_timeout_ms": str(OPERATION_TIMEOUT_MS), "on_node_failure": ON_NODE_FAILURE, **options}
        return endpoint + "?" + "&".join(f"{name}={value}" for name, value in chosen.items())

    def protocol(self, options: dict[str, str]) -> str:
        """What it speaks to the nodes, with Shoal's options."""
        return "classic" if self.is_shoal and options.get("protocol") == "libmemcached" else self.speaks

    def start_command(self, servers: str, rate: int, seconds: float, keys: int) -> list[str]:
        """The driver with its arguments; load.py explains them."""
        return [*self.command, self.name, servers, str(rate), f"{seconds:.3f}", str(keys)]


def environment() -> dict[str, str]:
    """What the drivers need to find Shoal's packages in the build."""
    return {**os.environ, "PYTHONPATH": str(BUILD / "bindings/python/packages"),
            "SHOAL_AUTOLOAD": str(ROOT / "bindings/php/autoload.php")}


CLIENTS = [
    Client("c", C, is_shoal=True, speaks="meta"),
    Client("python", PYTHON, is_shoal=True, speaks="meta"),
    Client("ruby", RUBY, is_shoal=True, speaks="meta"),
    Client("php", SHOAL_PHP, is_shoal=True, speaks="meta"),
    Client("pylibmc", PYTHON),
    Client("pylibmc_tuned", PYTHON),
    Client("php_memcached", PHP),
    Client("php_memcached_eject", PHP),
    Client("dalli", RUBY, speaks="binary"),
    Client("pymemcache", PYTHON),
    Client("pymemcache_tuned", PYTHON),
]
