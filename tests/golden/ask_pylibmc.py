"""Where pylibmc puts keys: it stores each, and every memcached is then asked which it holds.

Arguments: the fleets, the keys, and behaviors as name=value. A weight over 1 stands in the list of servers, as pylibmc
takes it. See make_vectors, which starts the nodes and calls this.
"""
import socket
import sys
import time
from urllib.parse import unquote_to_bytes

import pylibmc


def read_lines(path):
    with open(path, encoding="ascii") as file:
        return [line.rstrip("\n") for line in file if not line.startswith("#")]


def spell(host, port, weight):
    name = f"[{host}]" if ":" in host else host
    return f"{name}:{port}" + (f":{weight}" if weight != "1" else "")


def connect(host, port):
    """A connection to a node that may just be starting."""
    for _ in range(50):
        try:
            return socket.create_connection((host, int(port)), 5)
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise SystemExit(f"no memcached at {host} port {port}")


def ask_node(host, port, command, last):
    with connect(host, port) as connection:
        connection.sendall(command)
        answer = b""
        while not answer.endswith(last):
            answer += connection.recv(1 << 20)
        return answer


def find_keys(nodes, keys):
    """The index of the node of each key."""
    places = {}
    for index, (host, port, _) in enumerate(nodes):
        for start in range(0, len(keys), 50):
            answer = ask_node(host, port, b"get " + b" ".join(keys[start:start + 50]) + b"\r\n", b"END\r\n")
            for line in answer.split(b"\r\n"):
                if line.startswith(b"VALUE "):
                    key = line.split(b" ")[1]
                    assert key not in places, f"{key} is on two nodes"
                    places[key] = index
    return [places[key] for key in keys]


def place_keys(nodes, keys, behaviors):
    for host, port, _ in nodes:
        assert ask_node(host, port, b"flush_all\r\n", b"\r\n") == b"OK\r\n"
    client = pylibmc.Client([spell(*node) for node in nodes], behaviors=behaviors)
    for key in keys:
        assert client.set(key, b"1"), key
    return find_keys(nodes, keys)


fleets = [[node.split(" ") for node in line.split("\t")[1:]] for line in read_lines(sys.argv[1])]
names = read_lines(sys.argv[2])
chosen = dict(word.split("=") for word in sys.argv[3:])
chosen = {name: value == "True" if value in ("True", "False") else value for name, value in chosen.items()}
columns = [place_keys(nodes, [unquote_to_bytes(name) for name in names], chosen) for nodes in fleets]
for name, *places in zip(names, *columns):
    print("key", name, " ".join(map(str, places)), sep="\t")
