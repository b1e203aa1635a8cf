"""The script `dev`: its usage, its statuses, and that what `dev env` prints is safe wherever the tree stands.

Argument: the source folder. Nothing is built: a copy of the script stands beside an empty stage.
"""
import pathlib
import re
import shutil
import subprocess
import tempfile

from tree import ROOT, fault, finish

checked = 0


def expect(title, right, got):
    global checked  # pylint: disable=global-statement
    checked += 1
    if not right:
        fault(title, f"got {got!r}")


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


dev = str(ROOT / "dev")
usage = run(dev)
expect("./dev alone", usage.returncode == 0 and not usage.stderr, usage)
for command in ("demo", "build", "env", "test", "test --fast", "test --adapters", "matrix", "lint", "fuzz", "coverage", "bench c",
                "bench python", "bench ruby", "bench php", "faults", "clean"):
    expect(f"./dev lists {command}", re.search(rf"^  {command}  ", usage.stdout, re.MULTILINE), usage.stdout)
for words in (["frobnicate"], ["test", "--slowly"], ["env", "more"], ["fuzz", "long"], ["fuzz", "1", "2"], ["bench"], ["bench", "perl"]):
    result = run(dev, *words)
    expect(f"./dev {' '.join(words)}", result.returncode == 64 and "usage:" in result.stderr and not result.stdout, result)
for words in ([], ["--help"], ["../trixie"]):
    result = run(str(ROOT / "tests/matrix/run"), *words)
    expect(f"tests/matrix/run {words}", result.returncode == 64 and "usage:" in result.stderr, result)

with tempfile.TemporaryDirectory() as folder:
    tree = pathlib.Path(folder) / "it's a $HOME of \"spaces\""
    tree.mkdir()
    shutil.copy(dev, tree)
    result = run(str(tree / "dev"), "env")
    expect("./dev env before a build", result.returncode == 1 and not result.stdout and result.stderr, result)
    stage = tree / "build/stage"
    stage.mkdir(parents=True)
    result = run(str(tree / "dev"), "env", cwd="/")
    lines = result.stdout.splitlines()
    expect("./dev env", result.returncode == 0 and not result.stderr and lines, result)
    for line in lines:
        expect("./dev env prints assignments alone", re.match(r"export [A-Z_]+=", line), line)
    for shell in ("sh", "bash"):
        script = 'set -eu; eval "$("$1" env)"; printf "%s|" "$PATH" "$LD_LIBRARY_PATH" "$PKG_CONFIG_PATH" '
        script += '"$PYTHONPATH" "$RUBYLIB" "$PHP_INI_SCAN_DIR" "$SHOAL_AUTOLOAD"'
        result = run(shell, "-c", script, shell, str(tree / "dev"), env={"PATH": "/usr/bin:/bin"})
        wanted = (f"{stage}/bin:/usr/bin:/bin|{stage}/lib|{stage}/lib/pkgconfig|{stage}/lib/python3/dist-packages|"
                  f"{stage}/lib/ruby/vendor_ruby|:{stage}/etc/php|{stage}/share/php/Shoal/autoload.php|")
        expect(f"{shell} evaluates ./dev env", result.stdout == wanted, result)
finish(checked)
