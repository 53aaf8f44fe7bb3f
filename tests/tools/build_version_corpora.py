"""Writes tests/data/versions_rpm.tsv and versions_deb.tsv: pairs of versions with what rpm and dpkg say of their order.

Run it on a machine with both tools: python tests/tools/build_version_corpora.py
"""

import itertools
import random
import subprocess
from pathlib import Path

DATA = Path(__file__).parent.parent / "data"
RANDOM_PAIRS = 500
NASTY_RPM = """
1.0-1 1.0-1.1 1.0-01 1.00-1 1.0.0-1 1:0.1-1 0:1.0-1 1.0~rc1-1 1.0~~-1 1.0~-1 1.0^-1 1.0^git1-1 1.0^~1-1 1.0~^1-1
1.0+git1-1 1.0+-1 1.0_1-1 1.0a-1 1.0.a-1 1.a-1 a-1 A-1 1.0-lp156.1.1 1.0-lp156.2.1 1.0-lp156.10.1 1.0-2
1.0-1.fc39 1.0-1.fc40 20240101-1 1.20240101-1 1.0-1~pre 1.0-1^post 1.10-1 1.9-1 1.09-1 1..0-1 1.0.-1 10a2-1 10b1-1 00-1 0-1
"""
NASTY_DEB = """
1.0-1 1.0-1.1 1.0-01 1.00-1 1.0.0-1 1:0.1-1 0:1.0-1 1.0~rc1-1 1.0~~-1 1.0~-1 1.0-1~bpo1 1.0-1+b1 1.0-1+1.1 1.0-1+2.1
1.0 1.0-0 1.0-00 1.0-0ubuntu1 1.0-0ubuntu1~22.04 1.0-1-1 1.0+dfsg-1 1.0+git20240101-1 1.0a-1 1.0.a-1 1.a-1 1A-1 1a-1
2:1.0-1 10:0-1 1.10-1 1.9-1 1.09-1 1..0-1 1.0.-1 10a2-1 10b1-1 00-1 0-1 0~-1 1.0-a 1.0-~ 1.0-+ 1.0-. 1:1.0-1
"""


def random_version(source: random.Random, letters: str) -> str:
    def part(longest: int) -> str:
        return "".join(source.choice(letters) for _ in range(source.randint(1, longest)))

    epoch = source.choice(["", "", "", "0:", "1:", "2:", "12:"])
    return f"{epoch}{source.choice('0123456789')}{part(5)}-{part(3)}"


def changed(source: random.Random, version: str, letters: str) -> str:
    """A near neighbour: what differs in one place tells more than what has nothing in common."""
    place = source.randrange(version.index(":") + 2 if ":" in version else 1, len(version))
    if version[place] == "-":
        return version
    return version[:place] + source.choice(["", source.choice(letters), "0" + version[place]]) + version[place + 1 :]


def pairs(hand_written: str, letters: str, seed: int) -> list[tuple[str, str]]:
    nasty = hand_written.split()
    source = random.Random(seed)
    hand_picked = list(itertools.combinations(nasty, 2))
    source.shuffle(hand_picked)
    result = [(v, v) for v in nasty] + hand_picked[:400]
    for _ in range(RANDOM_PAIRS):
        left = random_version(source, letters)
        right = changed(source, left, letters) if source.random() < 0.7 else random_version(source, letters)
        result.append((left, left) if right.endswith("-") else (left, right))
    return result


def rpm_says(compared: list[tuple[str, str]]) -> list[int]:
    calls = " ".join(f'print(rpm.vercmp("{left}", "{right}") .. "\\n")' for left, right in compared)
    done = subprocess.run(["rpm", "--eval", "%{lua: " + calls + "}"], check=True, capture_output=True, text=True)
    return [int(word) for word in done.stdout.split()]


def dpkg_says(compared: list[tuple[str, str]]) -> list[int]:
    return [0 if _dpkg(a, "eq", b) else -1 if _dpkg(a, "lt", b) else 1 for a, b in compared]


def _dpkg(left: str, operator: str, right: str) -> bool:
    command = ["dpkg", "--compare-versions", left, operator, right]
    done = subprocess.run(command, check=False, capture_output=True)
    if done.returncode > 1 or b"error" in done.stderr:
        raise ValueError(f"{command}: {done.stderr!r}")
    return done.returncode == 0


def write(name: str, compared: list[tuple[str, str]], results: list[int]) -> None:
    lines = [f"{left}\t{right}\t{result}\n" for (left, right), result in zip(compared, results, strict=True)]
    (DATA / name).write_text("".join(lines), encoding="ascii")


if __name__ == "__main__":
    rpm_pairs = pairs(NASTY_RPM, "0123459abzAZ..~^+_", 1)
    write("versions_rpm.tsv", rpm_pairs, rpm_says(rpm_pairs))
    deb_pairs = pairs(NASTY_DEB, "0123459abzAZ..~+", 2)
    write("versions_deb.tsv", deb_pairs, dpkg_says(deb_pairs))
