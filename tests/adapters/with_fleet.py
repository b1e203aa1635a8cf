#!/usr/bin/python3
"""Runs a command beside memcached servers of its own: with_fleet.py SHOAL FLEET COMMAND...

SHOAL is the command `shoal`, whose `local` starts the servers. FLEET says how many, and what the command finds in
SHOAL_TEST_ENDPOINT: `one` (host:port), `three` (host:port,host:port,host:port) or `discovered` (host:port of an
endpoint that names three). The servers end with the command, however that ends; its status is the status here.
May import: the standard library. Called by CTest for the frameworks' suites in the folders beside this.
"""
import os
import subprocess
import sys
import tempfile

NODES = {"one": 1, "three": 3, "discovered": 3}
ENDS_WITH_THIS = ["setpriv", "--pdeathsig", "KILL"]


def read_addresses(servers, count):
    """The endpoint and the nodes, once all of them answer."""
    lines = [servers.stdout.readline().split() for _ in range(1 + count)]
    if [line[:1] for line in lines] != [["endpoint"]] + [["node"]] * count:
        sys.exit(f"with_fleet: `shoal local` did not start {count} nodes: {lines}")
    return [address for _, address in lines]


def main():
    """Starts the servers, runs the command, ends the servers."""
    if len(sys.argv) < 4 or sys.argv[2] not in NODES:
        sys.exit(f"usage: with_fleet.py SHOAL {'|'.join(NODES)} COMMAND...")
    shoal, fleet, *command = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        local = [*ENDS_WITH_THIS, shoal, "local", "--nodes", str(NODES[fleet]), "--dir", folder]
        with subprocess.Popen(local, stdout=subprocess.PIPE, text=True) as servers:
            try:
                endpoint, *nodes = read_addresses(servers, NODES[fleet])
                found = endpoint if fleet == "discovered" else ",".join(nodes)
                environment = {**os.environ, "SHOAL_TEST_ENDPOINT": found}
                status = subprocess.run([*ENDS_WITH_THIS, *command], env=environment, check=False).returncode
            finally:
                servers.terminate()
    # A command that a signal ended has a negative status.
    sys.exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main()
