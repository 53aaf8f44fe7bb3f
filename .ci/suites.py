"""Fails if a test suite didn't run: `python .ci/suites.py JUNIT_XML`.

Every folder of tests/ with test modules is a suite. A module whose tests were all skipped counts as not
run; of the suite against the real OBS backend, of the version order against the real rpm and dpkg, of what a browser
makes of the HTML reports, of what osc, apt and dnf make of the sandbox and install from it, and of logins with the real
OpenSSH, no test may be skipped at all.
"""

import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

NEVER_SKIPPED = (
    "tests.real_obs.",
    "tests.unit.test_reconcile_versions.",
    "tests.unit.test_report_html.",
    "tests.integration.test_sandbox_real_clients.",
    "tests.integration.test_served_real_clients.",
    "tests.integration.test_would_install.",
    "tests.integration.test_cli_ssh.",
)


def modules() -> set[str]:
    return {".".join(path.with_suffix("").parts) for path in Path("tests").rglob("test_*.py")}


def main(report: str) -> int:
    ran: Counter[str] = Counter()
    problems: list[str] = []
    known = modules()
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it
        name = f"{case.get('classname')}.{case.get('name')}".removeprefix(".")
        module = next((module for module in known if f"{name}.".startswith(f"{module}.")), "")
        if case.find("skipped") is None:
            ran[module] += 1
        elif name.startswith(NEVER_SKIPPED):
            problems.append(f"skipped: {name}")
    problems += [f"nothing ran: {module}" for module in sorted(known) if not ran[module]]
    sys.stdout.write("\n".join(problems) or f"{ran.total()} tests of {len(known)} modules ran")
    sys.stdout.write("\n")
    return 1 if problems or not known else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
