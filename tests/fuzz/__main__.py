"""Fuzz each target for some seconds, as many at a time as there are cores: `python -m tests.fuzz SECONDS [TARGET...]`.

Exits with 1 where something was found: it stands in the target's corpus then, and libFuzzer's words in `.fuzz/`.
"""

import io
import multiprocessing
import os
import re
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr
from pathlib import Path

import atheris

# else it names each module
with redirect_stderr(io.StringIO()), atheris.instrument_imports(include=["pkgsync"]):
    from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
KEPT = Path(".fuzz")


def fuzz(name: str, seconds: int) -> None:
    """In a process of its own: libFuzzer ends it."""
    os.nice(5)
    log = os.open(KEPT / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    options = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=1024"]
    places = [f"-dict={CORPUS.parent / 'words.dict'}", f"-artifact_prefix={CORPUS / name}/", str(KEPT / name)]
    atheris.Setup([sys.argv[0], *options, *places, str(CORPUS / name)], TARGETS[name])
    atheris.Fuzz()


def found_nothing(name: str, seconds: int) -> bool:
    (KEPT / name).mkdir(parents=True, exist_ok=True)
    # forked, as to instrument the code takes seconds
    process = multiprocessing.get_context("fork").Process(target=fuzz, args=(name, seconds))
    process.start()
    process.join()
    log = (KEPT / f"{name}.log").read_text(errors="replace")
    if process.exitcode:
        print(f"{name}: found something\n", *log.splitlines(keepends=True)[-40:], flush=True)
        return False
    runs = re.search(r"^Done ([0-9]+) runs", log, re.MULTILINE)
    print(f"{name}: {runs[1] if runs else 'no'} inputs", flush=True)
    return runs is not None


def main(seconds: int, names: Sequence[str]) -> int:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return 0 if all(list(pool.map(lambda name: found_nothing(name, seconds), names))) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:] or list(TARGETS)))
