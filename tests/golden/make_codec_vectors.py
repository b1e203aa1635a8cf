#!/usr/bin/python3
"""Vectors for the codecs, by the clients whose layouts they are, and the way back: that those clients read ours.

    make_codec_vectors.py write            writes tests/golden/codec/*.txt anew, with the clients installed here
    make_codec_vectors.py check ENCODER    stores what ENCODER (built as codec_encode) makes of the same values, and has
                                           each client read it

Debian packages: memcached python3-pylibmc python3-pymemcache python3-django ruby-dalli php-cli php-memcached
php-igbinary php-msgpack. A memcached of its own serves each run, on a free port of loopback. The clients' programs are
codec_*.* beside this file: `PROGRAM write PORT` stores values and prints `codec name kind user-flags plain` for each, with = for a plain that is what it stored;
`PROGRAM check PORT` reads `codec name kind plain`, fails where the client does not read that, and
prints how many it read.

A vector is a line `codec name kind user-flags plain flags stored`, bytes in hexadecimal; `-` stands for none, `+` joins
pieces and `61*100` is a piece repeated.
"""
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
VECTORS = HERE / "codec"
PROGRAMS = {
    "pylibmc": ["/usr/bin/python3", HERE / "codec_pylibmc.py"],
    "pymemcache": ["/usr/bin/python3", HERE / "codec_pymemcache.py"],
    "dalli": ["ruby", HERE / "codec_dalli.rb"],
    "php-memcached": ["php", HERE / "codec_php.php"],
}
COMPRESSIONS = {"php-memcached": ["none", "zlib"], "json": ["none", "zlib"]}  # those the installed clients read


def unfold(plain):
    """The bytes that a vector writes in short."""
    pieces = [] if plain == "-" else plain.split("+")
    return b"".join(bytes.fromhex(piece.partition("*")[0]) * int(piece.partition("*")[2] or 1) for piece in pieces)


class Memcached:
    """A server, and the plainest of clients for it."""

    def __init__(self):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(["memcached", "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-u", "nobody"])
        for _ in range(100):
            try:
                self.stream = socket.create_connection(("127.0.0.1", self.port), timeout=5).makefile("rwb")
                return
            except ConnectionRefusedError:
                time.sleep(0.05)
        sys.exit("memcached does not answer")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()
        self.process.terminate()
        self.process.wait()

    def get(self, key):
        self.stream.write(f"get {key}\r\n".encode())
        self.stream.flush()
        words = self.stream.readline().split()
        if words[:1] != [b"VALUE"]:
            sys.exit(f"no item {key}: {words}")
        stored = self.stream.read(int(words[3]) + 2)[:-2]
        self.stream.readline()
        return int(words[2]), stored

    def set(self, key, flags, stored):
        self.stream.write(f"set {key} {flags} 0 {len(stored)}\r\n".encode() + stored + b"\r\n")
        self.stream.flush()
        answer = self.stream.readline()
        if answer != b"STORED\r\n":
            sys.exit(f"{key} is not stored: {answer}")


def run(server, program, mode, text=""):
    """Runs a client; nothing it says on its error output is lost, and its failure is ours."""
    result = subprocess.run([*map(str, PROGRAMS[program]), mode, str(server.port)], input=text, stdout=subprocess.PIPE,
                            text=True, check=False, cwd=tempfile.gettempdir())
    if result.returncode:
        sys.exit(f"{program} {mode}: status {result.returncode}\n{result.stdout}")
    return result.stdout.splitlines()


def write():
    VECTORS.mkdir(exist_ok=True)
    for program in PROGRAMS:
        with Memcached() as server:
            lines = run(server, program, "write")
            vectors = [f"# Written by make_codec_vectors.py with {lines[0]}. codec name kind user-flags plain flags stored"]
            for line in lines[1:]:
                flags, stored = server.get(line.split()[1])
                told = line[:-1] + stored.hex() if line.endswith(" =") else line
                vectors.append(f"{told} {flags} {stored.hex() or '-'}")
            (VECTORS / f"{program}.txt").write_text("\n".join(vectors) + "\n")
            print(f"{program}: {len(vectors) - 1} vectors by {lines[0]}")


def check(encoder):
    for program in PROGRAMS:
        with Memcached() as server:
            vectors = [line.split() for line in (VECTORS / f"{program}.txt").read_text().splitlines() if line[0] != "#"]
            asked, told = [], []
            for codec, name, kind, user, plain, *_ in vectors:
                for compression in COMPRESSIONS.get(codec, ["none", "zlib"]):
                    told.append((codec, f"{name}-{compression}", kind, plain))
                    asked.append(f"{codec} {kind} {compression} {user} {unfold(plain).hex() or '-'}")
            result = subprocess.run([encoder], input="\n".join(asked) + "\n", stdout=subprocess.PIPE, text=True, check=True)
            for (_, name, _, _), line in zip(told, result.stdout.splitlines(), strict=True):
                flags, stored = line.split()
                server.set(name, int(flags), unfold(stored))
            lines = "".join(f"{codec} {name} {kind} {unfold(plain).hex() or '-'}\n" for codec, name, kind, plain in told)
            print(f"{program}: {run(server, program, 'check', lines)[-1]} of {len(told)} read")


if sys.argv[1:] == ["write"]:
    write()
elif len(sys.argv) == 3 and sys.argv[1] == "check":
    check(sys.argv[2])
else:
    sys.exit(__doc__)
