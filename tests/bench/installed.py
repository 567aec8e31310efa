"""What an installation without extras brings: in a fresh environment, from wheels alone."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.measuring import Figure, left_out

CHECKOUT = Path(__file__).parents[2]
MOST, MOST_MB = 48, 160
TOOLS = {"pip", "setuptools", "wheel"}  # which come with the environment


def measure(*, is_quick):
    """Distributions and bytes; nothing is compiled, so that no compiler is needed."""
    if is_quick:
        yield left_out("installed without extras", "left out of the quick run")
        return
    with TemporaryDirectory(prefix="cop-bench-") as name:
        python = Path(name) / "bin" / "python"
        _run(sys.executable, "-m", "venv", name)
        _run(python, "-m", "pip", "install", "-q", "--only-binary", ":all:", CHECKOUT)
        listed = json.loads(_run(python, "-m", "pip", "list", "--format", "json"))
        names = {each["name"].lower() for each in listed}
        [packages] = Path(name).glob("lib/*/site-packages")
        sizes = {file: _size(file) for file in packages.iterdir()}
        tools = sum(size for file, size in sizes.items() if _is_tool(file))
    yield Figure(f"distributions installed without extras, {len(TOOLS & names)} of them pip's own",
                 len(names), "", f"<= {MOST}", len(names) <= MOST)  # fmt: skip
    everything = sum(sizes.values()) / 1e6
    yield Figure("their size, compiled files among them", everything, "MB", f"<= {MOST_MB} MB",
                 everything <= MOST_MB)  # fmt: skip
    yield Figure("the same without pip's own", everything - tools / 1e6, "MB")


def _run(*command):
    done = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def _size(path):
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files if not file.is_dir())


def _is_tool(file):
    return file.name.partition("-")[0] in TOOLS | {"pkg_resources", "_distutils_hack"}
