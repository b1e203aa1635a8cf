"""Where pymemcache puts keys: its HashClient is asked for the client of each.

Arguments: the fleets and the keys. Keys are given as text, as Django does; those that are no UTF-8 are left out. See
make_vectors, which calls this.
"""
import sys
from urllib.parse import unquote_to_bytes

from pymemcache.client.hash import HashClient


def read_lines(path):
    with open(path, encoding="ascii") as file:
        return [line.rstrip("\n") for line in file if not line.startswith("#")]


def is_text(name):
    try:
        return bool(unquote_to_bytes(name).decode())
    except UnicodeDecodeError:
        return False


def place_keys(nodes, keys):
    servers = [(host, int(port)) for host, port, _ in nodes]
    client = HashClient([f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in servers],
                        allow_unicode_keys=True)
    # pylint: disable-next=protected-access  # no public method tells the place without sending
    return [servers.index(client._get_client(key).server) for key in keys]


fleets = [[node.split(" ") for node in line.split("\t")[1:]] for line in read_lines(sys.argv[1])]
names = [name for name in read_lines(sys.argv[2]) if is_text(name)]
columns = [place_keys(nodes, [unquote_to_bytes(name).decode() for name in names]) for nodes in fleets]
for name, *places in zip(names, *columns):
    print("key", name, " ".join(map(str, places)), sep="\t")
