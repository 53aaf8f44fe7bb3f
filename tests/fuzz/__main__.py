"""Fuzz each target for some seconds, as many at a time as there are cores: `python -m tests.fuzz SECONDS [TARGET...]`.

With ``FUZZ_RUNS`` each takes so many inputs at most, and the same ones each time. Exits with 1 where something was found: it stands in the target's corpus then, and libFuzzer's words in `.fuzz/`.
"""

import io
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stderr
from pathlib import Path

import atheris

# else it names each module
with redirect_stderr(io.StringIO()), atheris.instrument_imports(include=["pkgsync"]):
    from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
KEPT = Path(".fuzz").absolute()
RUNS = os.environ.get("FUZZ_RUNS")
SAME_EACH_TIME = [f"-runs={RUNS}", "-seed=1"] if RUNS else []


def start(name: str, seconds: int) -> int:
    """The process that fuzzes. It is forked, as to instrument the code takes seconds."""
    (KEPT / name).mkdir(parents=True, exist_ok=True)
    if pid := os.fork():
        return pid
    os.nice(5)
    tempfile.tempdir = str(KEPT)
    log = os.open(KEPT / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    options = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=1024", *SAME_EACH_TIME]
    places = [f"-dict={CORPUS.parent / 'words.dict'}", f"-artifact_prefix={CORPUS / name}/", str(KEPT / name)]
    atheris.Setup([sys.argv[0], *options, *places, str(CORPUS / name)], TARGETS[name])
    # what it raises must end the interpreter: only then libFuzzer writes down what it has found
    atheris.Fuzz()
    raise SystemExit


def found_nothing(name: str, status: int) -> bool:
    log = (KEPT / f"{name}.log").read_text(errors="replace")
    runs = re.search(r"^Done ([0-9]+) runs", log, re.MULTILINE)
    if status or not runs:
        print(f"{name}: found something\n", *log.splitlines(keepends=True)[-40:], flush=True)
        return False
    print(f"{name}: {runs[1]} inputs", flush=True)
    return True


def main(seconds: int, names: Sequence[str]) -> int:
    left, running, clean = [*names], dict[int, str](), True
    while left or running:
        if left and len(running) < (os.cpu_count() or 1):
            name = left.pop(0)
            running[start(name, seconds)] = name
            continue
        pid, status = os.wait()
        # libFuzzer ends a process without a chance to remove its files
        shutil.rmtree(KEPT / f"pkgsync-fuzz-{pid}", ignore_errors=True)
        clean &= found_nothing(running.pop(pid), status)
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:] or list(TARGETS)))
