"""What the tests reach of core/src: a table a folder and a file on standard output, and pages to look at.

Arguments: the source folder; the build folder of the preset `coverage`, in which the tests have run. gcovr reads the
counts; branches that gcc makes itself are left out. The pages stand in BUILD/html.
"""
import csv
import io
import pathlib
import subprocess
import sys

SOURCE, BUILD = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
COUNTS = ("line_covered", "line_total", "branch_covered", "branch_total")


def read_counts():
    """{file: its counts}"""
    (BUILD / "html").mkdir(exist_ok=True)
    command = ["gcovr", "--root", SOURCE, "--filter", f"{SOURCE}/core/src/", "--exclude-unreachable-branches", "--csv",
               "--html-details", BUILD / "html/index.html", BUILD / "core"]
    listing = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return {row["filename"]: [int(row[count]) for count in COUNTS] for row in csv.DictReader(io.StringIO(listing))}


def total(counts):
    return [sum(column) for column in zip(*counts)]


def print_row(name, counts):
    reached_lines, lines, reached_branches, branches = counts
    columns = [f"{name:42}", f"{reached_lines:6} of {lines:5}  {share(reached_lines, lines)}",
               f"{reached_branches:6} of {branches:5}  {share(reached_branches, branches)}"]
    print("  ".join(columns))


def share(part, whole):
    return f"{100 * part / whole:5.1f} %" if whole else "      -"


files = read_counts()
if not files:
    sys.exit("coverage.py: nothing was counted: build and run the tests with the preset coverage first")
folders = {}
for file, file_counts in files.items():
    folders.setdefault(str(pathlib.PurePath(file).parent), []).append(file_counts)
print(f"{'':42}  {'lines':24}  branches")
for folder, members in sorted(folders.items()):
    print_row(folder + "/", total(members))
print_row("all", total(files.values()))
print()
for file, file_counts in sorted(files.items()):
    print_row(file, file_counts)
print(f"\neach line: {BUILD / 'html/index.html'}")
