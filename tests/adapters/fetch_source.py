#!/usr/bin/python3
"""Prints the folder with the source of an installed Debian package; fetches it where it is not there yet.

Argument: a binary package, whose source package is meant, in the version that is installed: where the mirror does not
hold that revision's source, in another revision of the same upstream release, as upstream has it without Debian's
patches, in a release of the same series that Debian's stable suite has, or in whichever release that has. It is unpacked
once into ~/.cache/shoal/sources or $XDG_CACHE_HOME/shoal/sources, and needs no network from then on. apt has a state of its own
there, with the machine's own sources, deb-src for deb: nothing of the machine's is changed.
May import: the standard library. Called by the runners of the frameworks' suites in the folders beside this.
"""
import fcntl
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys


class CannotFetch(Exception):
    """What was wrong, and what to do."""


def run(*command, cwd=None):
    """A command's standard output; what it says is told where it fails."""
    if not shutil.which(command[0]):
        raise CannotFetch(f"there is no {command[0]} here: install the Debian package that holds it (dpkg-dev, apt)")
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if result.returncode:
        said = "\n".join((result.stdout + result.stderr).splitlines()[-8:])
        words = " ".join(word for word in map(str, command) if not word.startswith("--option="))
        raise CannotFetch(f"{words} failed with status {result.returncode}:\n{said}")
    return result.stdout


def find_source(package):
    """The source package of an installed binary package, and its version."""
    try:
        name, version = run("dpkg-query", "--show", "--showformat=${source:Package} ${source:Version}", package).split()
    except (CannotFetch, ValueError) as error:
        raise CannotFetch(f"{package} is not installed: run apt-get install {package}") from error
    return name, version


def source_form(path):
    """What a file of apt's sources says, asking for source packages where it asks for binary ones."""
    text = path.read_text()
    if path.suffix == ".sources":
        return re.sub(r"^Types:.*", "Types: deb-src", text, flags=re.MULTILINE | re.IGNORECASE)
    text = re.sub(r"^\s*deb-src\s.*", "", text, flags=re.MULTILINE)
    return re.sub(r"^\s*deb\s", "deb-src ", text, flags=re.MULTILINE)


def in_stable(text):
    """The same sources, but in Debian's stable suite."""
    return re.sub(rf"\b{platform.freedesktop_os_release().get('VERSION_CODENAME', 'sid')}\b", "stable", text)


def own_state(folder, with_stable):
    """Makes a state for apt in a folder: the options with which apt uses it alone."""
    settings = run("apt-config", "shell", "list", "Dir::Etc::sourcelist/f", "parts", "Dir::Etc::sourceparts/d")
    found = {name: pathlib.Path(value) for name, value in re.findall(r"^(\w+)='(.*)'$", settings, re.MULTILINE)}
    files = [path for path in [found["list"], *sorted(found["parts"].glob("*.list")),
                               *sorted(found["parts"].glob("*.sources"))] if path.is_file()]
    sources = folder / "sources.list.d"
    shutil.rmtree(sources, ignore_errors=True)
    for part in (sources, folder / "lists/partial", folder / "archives/partial"):
        part.mkdir(parents=True, exist_ok=True)
    for path in files:
        (sources / path.name).write_text(source_form(path))
        if with_stable:
            (sources / f"stable-{path.name}").write_text(in_stable(source_form(path)))
    options = {"Dir::Etc::sourcelist": "/dev/null", "Dir::Etc::sourceparts": sources, "Dir::Cache": folder,
               "Dir::State::lists": folder / "lists", "Acquire::Languages": "none", "APT::Update::Error-Mode": "any",
               "Acquire::Retries": "3"}
    if os.geteuid() == 0:  # apt's own user has no way into root's cache
        options["APT::Sandbox::User"] = "root"
    return [f"--option={name}={value}" for name, value in options.items()]


def upstream(version):
    """The release that a package's version is a revision of, without its epoch."""
    return version.split(":")[-1].rpartition("-")[0] or version


def series(version):
    """The series that a release belongs to, such as 7.2."""
    return ".".join(upstream(version).split(".")[:2])


def nearest(version, listed, of_any_series):
    """The versions to be tried: the one asked for, and of those listed the others of its release, of its series, and of
    any other."""
    others = {other for other in listed if of_any_series or series(other) == series(version)} - {version}
    return [version, *sorted(sorted(others, reverse=True), key=lambda other: (series(other) != series(version),
                                                                             upstream(other) != upstream(version)))]


def revisions(name, version, options, of_any_series):
    """The versions that the mirror lists, as they are to be tried."""
    said = run("apt-cache", *options, "showsrc", "--only-source", name)
    return nearest(version, re.findall(r"^Version: (\S+)$", said, re.MULTILINE), of_any_series)


def download(name, version, options, goal):
    """Fetches and unpacks one version, without Debian's patches where they cannot be had; the folder appears when it is
    whole. apt has checked the files against the signed lists."""
    work = goal.with_name(goal.name + ".new")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    fetch_it = ["apt-get", *options, "--quiet", "--download-only", "source", f"{name}={version}"]
    try:
        try:
            run(*fetch_it, cwd=work)
            run("dpkg-source", "--no-check", "--extract", next(work.glob("*.dsc")).name, "unpacked", cwd=work)
        except CannotFetch as error:
            print(f"fetch_source: without Debian's patches, as {error}", file=sys.stderr)
            run(*fetch_it, "--tar-only", cwd=work)
            (work / "unpacked").mkdir()
            run("tar", "--extract", "--strip-components=1", "--directory=unpacked",
                f"--file={next(work.glob('*.orig.tar.*')).name}", cwd=work)
        (work / "unpacked").rename(goal)
    finally:
        shutil.rmtree(work)


def fetch_first(name, version, cache, with_stable):
    """The folder with the source, in the first version that can be had; or none, and why."""
    troubles = []
    options = own_state(cache / "apt", with_stable)
    try:
        run("apt-get", *options, "--quiet", "update")
    except CannotFetch as error:  # it may be another source than the one that counts
        troubles.append(error)
    try:
        for revision in revisions(name, version, options, with_stable):
            goal = folder_of(name, revision, cache)
            try:
                download(name, revision, options, goal)
                return goal, []
            except CannotFetch as error:
                troubles.append(error)
    except CannotFetch as error:
        troubles.append(error)
    return None, troubles


def fetch(name, version, cache):
    """The folder with the source."""
    print(f"fetch_source: fetches the source of {name} {version} into {cache}", file=sys.stderr)
    for with_stable in (False, True):
        folder, troubles = fetch_first(name, version, cache, with_stable)
        if folder:
            return folder
    raise CannotFetch(f"the source of {name} {version} cannot be fetched. Is the network there? If the archive has a "
                      "newer release by now, install that first.\n" + "\n".join(map(str, troubles)))


def folder_of(name, version, cache):
    """Where a version is unpacked."""
    return cache / f"{name}-{version.split(':')[-1]}"


def find_folder(name, version, cache):
    """The folder that is there already: this version's, another revision's, or another of its series."""
    others = [other for part in (upstream(version) + "-", series(version) + ".")
              for other in sorted(cache.glob(f"{name}-{part}*"), reverse=True)
              if other.suffix != ".new" and not other.is_symlink()]
    return next((folder for folder in [folder_of(name, version, cache), *others] if folder.is_dir()), None)


def provide(package, cache):
    """The folder with the source of a package; of several that ask at once, one fetches it."""
    name, version = find_source(package)
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = find_folder(name, version, cache) or fetch(name, version, cache)
        goal = folder_of(name, version, cache)
        if folder != goal:  # for the next time, as it may be of another series
            goal.unlink(missing_ok=True)
            goal.symlink_to(folder.name)
    if goal.is_symlink():
        print(f"fetch_source: {goal.readlink()} stands for {name} {version}, whose source the mirror did not have",
              file=sys.stderr)
    return goal


def main():
    """Prints the folder."""
    if len(sys.argv) != 2:
        sys.exit("usage: fetch_source.py PACKAGE")
    home = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    try:
        print(provide(sys.argv[1], pathlib.Path(home) / "shoal/sources"))
    except (CannotFetch, OSError) as error:
        sys.exit(f"fetch_source: {error}")


if __name__ == "__main__":
    main()
