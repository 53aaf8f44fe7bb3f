"""Draws the README's picture of a plan in a pull request: `python -m tests.tools.plan_picture`. Needs Chromium."""

import html
import re
import subprocess
import tempfile
from pathlib import Path

from markdown_it import MarkdownIt

from tests.support.worlds.demo_world import Shell, second_day

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / ".github/plan.png"
PAGE = Path(__file__).with_name("plan_picture.html")
WIDTH = 860


def _comment(shell: Shell) -> str:
    done = shell.run("pkgsync plan -q -o plan.json > plan.txt && pkgsync show --format markdown plan.json")
    assert done.returncode == 0, done.stdout
    # as it is outside of the demo
    packagecloud, obs = shell.env["PACKAGECLOUD_URL"], shell.env["OSC_APIURL"]
    return done.stdout.replace(packagecloud, "https://packagecloud.io").replace(obs, "https://api.opensuse.org")


def _coloured(code: str, language: str, _: str) -> str:
    if language != "diff":
        return html.escape(code)
    kinds = {"-": "away", "+": "new", "!": "other", "@": "place"}
    return "".join(f'<b class="{kinds.get(line[0], "")}">{html.escape(line)}</b>' for line in code.splitlines())


def _screenshot(page: Path, height: int, *more: str) -> str:
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking"]
    with tempfile.TemporaryDirectory() as profile:
        command = ["chromium", *options, f"--user-data-dir={profile}", f"--window-size={WIDTH},{height}", *more]
        return subprocess.run([*command, page.as_uri()], check=True, capture_output=True, text=True).stdout


def main() -> None:
    markdown = MarkdownIt("commonmark", {"html": True, "highlight": _coloured}).enable("table")
    with tempfile.TemporaryDirectory() as folder:
        with second_day(Path(folder)) as shell:
            text = PAGE.read_text().replace("COMMENT", markdown.render(_comment(shell)))
        page = Path(folder) / "page.html"
        page.write_text(text)
        height = re.search(r'data-height="(\d+)"', _screenshot(page, 100, "--dump-dom"))
        assert height is not None
        PICTURE.parent.mkdir(exist_ok=True)
        _screenshot(page, int(height[1]), "--force-device-scale-factor=1.5", f"--screenshot={PICTURE}")


if __name__ == "__main__":
    main()
