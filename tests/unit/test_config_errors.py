"""Every mistake in a config: file, line, column, what, and the likely fix."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark.structures import ParameterSet
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pkgsync import schemas
from pkgsync.config import Config, load
from pkgsync.config.check import accepts
from pkgsync.errors import ConfigError
from tests.support.watchdog import watchdog

HEAD = """\
version: 1
obs:
  projects:
    - name: home:a
packagecloud:
  repository: a/b
distributions:
  Leap: opensuse/15.6
"""


def failure(tmp_path: Path, text: str | bytes) -> tuple[str, str]:
    path = tmp_path / "c.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    return caught.value.message.replace(str(path), "c.yaml"), caught.value.tip


def case(old: str, new: str, message: str | None, tip: str | None) -> ParameterSet:
    return pytest.param(HEAD.replace(old, new, 1), message, tip, id=f"{old.strip()} -> {new.strip()}"[:70])


def added(line: str, message: str, tip: str) -> ParameterSet:
    return pytest.param(f"{HEAD}{line}\n", f"c.yaml:9:{message}", tip, id=line)


PROJECT = "    - name: home:a\n"
LIMIT_KEYS = f"known: {', '.join(schemas.load('config')['$defs']['limits']['properties'])}"
TOKEN = "48f1c0ffee48f1c0ffee48f1c0ffee48f1c0ffee48f1c0ff"


@pytest.mark.parametrize(
    ("text", "message", "tip"),
    [
        # keys
        added("orphan: keep", "1: unknown key `orphan`", "did you mean `orphans`?"),
        added("Exclude: []", "1: unknown key `Exclude`", "did you mean `exclude`?"),
        added("limits: {deletion: 1}", "10: unknown key `deletion` in limits", "did you mean `deletions`?"),
        added(
            "limits: {zzz: 1}",
            "10: unknown key `zzz` in limits",
            LIMIT_KEYS,
        ),
        added("limits: {48f1c0ffee48f1c0ffee48f1c0ffee48f1c0ffee48f1c0ff: 1}", "10: unknown key in limits", LIMIT_KEYS),
        added("limits: {s3cret+s3cret/s3cret=: 1}", "10: unknown key in limits", LIMIT_KEYS),
        added("version: 1", "1: duplicate key `version`, first on line 1", "keep one of them"),
        added("on: 1", "1: the key `on` is read as true or false", 'quote it: "on"'),
        added("1.10: 1", "1: the key `1.10` is read as a number", 'quote it: "1.10"'),
        added("2024-01-01: 1", "1: the key `2024-01-01` is read as a date", 'quote it: "2024-01-01"'),
        added("? [a]\n: 1", "3: a key must be a text, not a list or a mapping", ""),
        added("<<: {exclude: []}", "1: merge keys (<<) are not supported", "write the keys out"),
        case("version: 1\n", "", "c.yaml:1:1: the config lacks the key `version`", "add `version: ...`"),
        case(
            "  repository: a/b\n",
            "  url: https://x\n",
            "c.yaml:5:1: packagecloud lacks the key `repository`",
            "add `repository: ...`",
        ),
        case(
            "version: 1",
            "version: 2",
            "c.yaml:1:10: version 2 is not supported",
            "write `version: 1`; a later version needs a later pkgsync",
        ),
        # types
        added("exclude: '*-devel*'", "10: exclude must be a list, not a text", 'write ["*-devel*"]'),
        added("exclude:", "9: exclude must be a list, not null", "write [] for an empty list"),
        added("exclude: [1.10]", "11: exclude[0] must be a text, not a number", 'quote it: "1.10"'),
        added("exclude: [010]", "11: exclude[0] must be a text, not a number", 'quote it: "010"'),
        added("exclude: [12:30:45]", "11: exclude[0] must be a text, not a number", 'quote it: "12:30:45"'),
        added("exclude: [yes]", "11: exclude[0] must be a text, not true or false", 'quote it: "yes"'),
        added("exclude: [2024-01-31]", "11: exclude[0] must be a text, not a date", 'quote it: "2024-01-31"'),
        added("exclude: [[a]]", "11: exclude[0] must be a text, not a list", "such as *-devel*"),
        added("exclude: ['']", "11: exclude[0] is empty", "give it a value, or remove the key"),
        added("include: []", "10: include is empty", "give it a value, or remove the key"),
        added("include_classes: [debg]", "19: include_classes[0]: `debg` is not known", "did you mean `debug`?"),
        added("include_classes: [debug, debug]", "18: include_classes holds a value twice", "remove one of them"),
        added("allow_http: 'yes'", "13: allow_http must be true or false, not a text", "write it without quotes"),
        added("allow_http: 1", "13: allow_http must be true or false, not a number", ""),
        added("limits: 5", "9: limits must be a mapping, not a number", ""),
        added("limits: {deletions: -1}", "21: limits.deletions must be at least 0, not -1", ""),
        added("limits: {deletions: 1.5}", "21: limits.deletions must be a whole number, not 1.5", ""),
        added("limits: {deletions: 0x10}", "21: limits.deletions must be a whole number, not 0x10", ""),
        added("limits: {deletions: true}", "21: limits.deletions must be a whole number, not true or false", ""),
        added(
            "limits: {deletions: '5'}",
            "21: limits.deletions must be a whole number, not a text",
            "write it without quotes",
        ),
        added("limits: {deletions_percent: 101}", "29: limits.deletions_percent must be at most 100, not 101", ""),
        added("limits: {in_use_days: 0}", "23: limits.in_use_days must be at least 1, not 0", ""),
        added(
            "limits: {distributions: {opensuse/15.5: {deletions: 1}}}",
            "26: no OBS repository is mapped to `opensuse/15.5`",
            "did you mean `opensuse/15.6`?",
        ),
        added(
            "limits: {distributions: {opensuse/15.6: {deletion: 1}}}",
            "42: unknown key `deletion` in limits.distributions.opensuse/15.6",
            "did you mean `deletions`?",
        ),
        added("connections: {uploads: 0}", "24: connections.uploads must be at least 1, not 0", ""),
        added("connections: {obs: 65}", "20: connections.obs must be at most 64, not 65", ""),
        added("connections: {listing: many}", "24: connections.listing must be a whole number, not a text", ""),
        added("connections: {upload: 1}", "15: unknown key `upload` in connections", "did you mean `uploads`?"),
        added("rebuilds: replaces", "11: rebuilds: `replaces` is not known", "did you mean `replace`?"),
        added("rebuilds: no", "11: rebuilds: `no` is not known", "known: replace, hold"),
        added("rebuilds: []", "11: rebuilds: it is not a plain value", "known: replace, hold"),
        # orphans
        added("orphans: delet", "10: `delet` is not an action for orphans", "such as keep"),
        added(
            "orphans: delete",
            "1: `orphans: delete` needs `keep_versions`",
            "write `orphans: {action: delete, keep_versions: 3}`",
        ),
        added(
            "orphans: {action: delete}",
            "11: `orphans: delete` needs `keep_versions`",
            "write `orphans: {action: delete, keep_versions: 3}`",
        ),
        added(
            "orphans: {action: archive, keep_versions: 1}",
            "11: `orphans: archive` needs `archive_to`",
            "add `archive_to: USER/REPOSITORY`",
        ),
        added("orphans: {archive_to: a/b}", "23: `archive_to` is the repository itself", "name another repository"),
        added("orphans: {archive_to: A/b}", "23: `archive_to` is the repository itself", "name another repository"),
        added("orphans: {archive_to: b}", "23: `b` is not a Packagecloud repository", "such as user/repository"),
        added(
            "orphans: {action: delete, keep_versions: -1}", "42: orphans.keep_versions must be at least 0, not -1", ""
        ),
        added("orphans: {gone: deleted}", "17: orphans.gone: `deleted` is not known", "did you mean `delete`?"),
        added(
            'orphans: {gone: delete, names: [ok, "*"]}',
            "37: with `gone: delete` `*` would let all go that OBS does not offer, whoever put it there",
            "name the packages, such as old-tool*",
        ),
        added(
            'orphans: {gone: delete, names: ["[!]_]*"]}',
            "33: with `gone: delete` `[!]_]*` would let all go that OBS does not offer, whoever put it there",
            "name the packages, such as old-tool*",
        ),
        added("orphans: {min_age: 14}", "20: `14` is not a duration", "such as 14d"),
        added("orphans: {min_age: -1d}", "20: `-1d` is not a duration", "such as 14d"),
        added("orphans: {grace: 1y}", "18: `1y` is not a duration", "such as 14d"),
        # names
        case("home:a", "home a", "c.yaml:4:13: `home a` is not an OBS project name", "such as home:user:project"),
        case("home:a", "home/a", "c.yaml:4:13: `home/a` is not an OBS project name", "such as home:user:project"),
        case("home:a", "home::a", "c.yaml:4:13: `home::a` is not an OBS project name", "such as home:user:project"),
        case("home:a", "'home:'", "c.yaml:4:13: `home:` is not an OBS project name", "such as home:user:project"),
        case("home:a", '"home:a\\n"', "c.yaml:4:13: obs.projects[0].name holds a line break or control character", ""),
        case("home:a", '"home:a\\u2028b"', None, None),
        case("a/b", "ab", "c.yaml:6:15: `ab` is not a Packagecloud repository", "such as user/repository"),
        case("a/b", "a/b/c", "c.yaml:6:15: `a/b/c` is not a Packagecloud repository", "such as user/repository"),
        case("a/b", "../b", "c.yaml:6:15: `../b` is not a Packagecloud repository", "such as user/repository"),
        case(
            "opensuse/15.6",
            "opensuse-15.6",
            "c.yaml:8:9: `opensuse-15.6` is not a Packagecloud distribution",
            "such as opensuse/15.6",
        ),
        case(
            "opensuse/15.6",
            "opensuse/15.6/x",
            "c.yaml:8:9: `opensuse/15.6/x` is not a Packagecloud distribution",
            "such as opensuse/15.6",
        ),
        case(
            "opensuse/15.6",
            "15.6",
            "c.yaml:8:9: distributions.Leap must be a text or a list or null, not a number",
            'quote it: "15.6"',
        ),
        case("opensuse/15.6", "[]", "c.yaml:8:9: distributions.Leap is empty", "give it a value, or remove the key"),
        case("opensuse/15.6", "[a/b, a/b]", "c.yaml:8:9: distributions.Leap holds a value twice", "remove one of them"),
        case(
            "opensuse/15.6",
            "[[a/b]]",
            "c.yaml:8:10: distributions.Leap[0] must be a text, not a list",
            "such as opensuse/15.6",
        ),
        case("  Leap:", "  a b:", "c.yaml:8:3: `a b` is not an OBS repository name", "such as openSUSE_Leap_15.6"),
        case("  Leap:", "  a/b:", "c.yaml:8:3: `a/b` is not an OBS repository name", "such as openSUSE_Leap_15.6"),
        case("  Leap:", "  '_x':", "c.yaml:8:3: `_x` is not an OBS repository name", "such as openSUSE_Leap_15.6"),
        case(
            "  Leap:", "  'Leap*':", "c.yaml:8:3: `Leap*` is not an OBS repository name", "such as openSUSE_Leap_15.6"
        ),
        # distributions as a whole
        case(
            "opensuse/15.6",
            "null",
            "c.yaml:7:1: no OBS repository is mapped to a distribution: there is nothing to sync",
            "add an entry such as openSUSE_Leap_15.6: opensuse/15.6",
        ),
        case(
            "distributions:\n  Leap: opensuse/15.6\n",
            "distributions: {}\n",
            "c.yaml:7:16: distributions is empty",
            "give it a value, or remove the key",
        ),
        # projects
        case(PROJECT, "    []\n", "c.yaml:4:5: obs.projects is empty", "give it a value, or remove the key"),
        case(PROJECT, PROJECT * 2, "c.yaml:5:13: the project `home:a` is listed twice", "remove one of them"),
        case(
            PROJECT, '    - name: "h:{x}"\n', "c.yaml:4:13: `expand` has no values for {x}", "add `expand: {x: [...]}`"
        ),
        case(
            PROJECT,
            '    - {name: "h:{relase}:{release}", expand: {release: [a]}}\n',
            "c.yaml:4:14: `expand` has no values for {relase}",
            "did you mean `release`?",
        ),
        case(
            PROJECT,
            "    - {name: h, expand: {release: [a]}}\n",
            "c.yaml:4:26: `expand` gives `release`, which the name does not use",
            "",
        ),
        case(
            PROJECT,
            '    - {name: "h:{x", expand: {}}\n',
            "c.yaml:4:30: obs.projects[0].expand is empty",
            "give it a value, or remove the key",
        ),
        case(PROJECT, '    - {name: "h:{x"}\n', "c.yaml:4:14: unbalanced braces in `h:{x`", "such as {release}"),
        case(
            PROJECT,
            '    - {name: "h:{x}", expand: {x: [a, a]}}\n',
            "c.yaml:4:35: obs.projects[0].expand.x holds a value twice",
            "remove one of them",
        ),
        case(
            PROJECT,
            '    - {name: "h:{x}", expand: {x: []}}\n',
            "c.yaml:4:35: obs.projects[0].expand.x is empty",
            "give it a value, or remove the key",
        ),
        case(
            PROJECT,
            '    - {name: "h:{x}", expand: {x: [a b]}}\n',
            "c.yaml:4:36: `a b` is not a part of a project name",
            "such as stable-1.6",
        ),
        case(
            PROJECT,
            '    - {name: "h:{x}", expand: {X: [a]}}\n',
            "c.yaml:4:32: `X` is not a placeholder name",
            "such as release",
        ),
        case(
            PROJECT,
            "    - {name: h, content: built}\n",
            "c.yaml:4:26: obs.projects[0].content: `built` is not known",
            "did you mean `build`?",
        ),
        case(
            PROJECT,
            "    - {name: h, may_be_empty: [Laep]}\n",
            "c.yaml:4:32: `Laep` is not in `distributions`",
            "did you mean `Leap`?",
        ),
        case(
            PROJECT,
            PROJECT + "  optional_projects: [home:b]\n",
            "c.yaml:5:23: `home:b` matches no project",
            "did you mean `home:a`?",
        ),
        # URLs and credentials
        case(
            "obs:\n",
            "obs:\n  published_url: http://127.0.0.1:8080/{project}/{repository}\n",
            "c.yaml:3:18: obs.published_url leads to this machine, where obs.api is not",
            "`allow_private: true` allows it",
        ),
        case(
            "obs:\n",
            "obs:\n  published_url: https://169.254.169.254/{project}/{repository}\n",
            "c.yaml:3:18: obs.published_url leads to a link-local network, where obs.api is not",
            "`allow_private: true` allows it",
        ),
        case(
            "obs:\n",
            "obs:\n  api: https://10.0.0.1\n  published_url: 'https://[::1]/{project}/{repository}'\n",
            "c.yaml:4:18: obs.published_url leads to this machine, where obs.api is not",
            "`allow_private: true` allows it",
        ),
        case(
            "a/b",
            "a/b\n  url: http://pc.example",
            "c.yaml:7:8: packagecloud.url is plain http to another machine",
            "write https://; `allow_http: true` allows it for the whole config",
        ),
        case(
            "a/b",
            "a/b\n  url: http://localhost.example",
            "c.yaml:7:8: packagecloud.url is plain http to another machine",
            "write https://; `allow_http: true` allows it for the whole config",
        ),
        case(
            "a/b",
            "a/b\n  url: pc.example",
            "c.yaml:7:8: packagecloud.url is not a URL without user name, query and fragment",
            "such as https://api.opensuse.org",
        ),
        case(
            "a/b",
            "a/b\n  url: https://user:hunter2@pc.example",
            "c.yaml:7:8: packagecloud.url is not a URL without user name, query and fragment",
            "such as https://api.opensuse.org",
        ),
        case(
            "a/b",
            "a/b\n  url: https://x:99999",
            "c.yaml:7:8: packagecloud.url is not a URL",
            "such as https://api.opensuse.org",
        ),
        case("obs:\n", "obs:\n  published_url: https://x/{proj}/{repository}\n", None, None),
        case(
            "obs:\n",
            "obs:\n  published_url: https://x/{project}\n",
            "c.yaml:3:18: published_url lacks the project or the repository",
            "such as https://download.opensuse.org/repositories/{project_path}/{repository}",
        ),
        case(
            "obs:\n",
            "obs:\n  anonymous: true\n",
            "c.yaml:3:3: `anonymous: true` needs `published_url`",
            "add `published_url: https://download.opensuse.org/repositories/{project_path}/{repository}`",
        ),
        case("obs:\n", "obs:\n  username: u\n", "c.yaml:2:1: obs lacks the key `password`", "add `password: ...`"),
        case("obs:\n", "obs:\n  api: https://${X}\n", None, None),
        added(
            "exclude: ['${X}']",
            "11: exclude[0]: environment variables are allowed only in password, token, username",
            "write the value itself",
        ),
        case(
            "a/b",
            "a/b\n  token: Bearer ${X}",
            "c.yaml:7:10: packagecloud.token holds more than one environment variable",
            "write ${NAME} as the whole value",
        ),
    ],
)
def test_mistakes(tmp_path: Path, text: str, message: str, tip: str) -> None:
    if message is None:
        assert failure(tmp_path, text)[0].startswith("c.yaml:")
    else:
        assert failure(tmp_path, text) == (message, tip)


@pytest.mark.parametrize(
    ("data", "message", "tip"),
    [
        (b"", "c.yaml:1:1: the file is empty", "`pkgsync init PROJECT USER/REPO` proposes a first config"),
        (b"# nothing\n", "c.yaml:1:1: the file is empty", "`pkgsync init PROJECT USER/REPO` proposes a first config"),
        (b"- a\n", "c.yaml:1:1: the config must be a mapping, not a list", ""),
        (b"text\n", "c.yaml:1:1: the config must be a mapping, not a text", ""),
        (b"version: 1\nobs: \xff\n", "c.yaml:2:6: the file is not UTF-8", "save it in that encoding"),
        ("version: 1\n".encode("utf-16"), "c.yaml:1:1: the file is not UTF-8", "save it in that encoding"),
        (b"a: 1\nb: \x01\n", "c.yaml:2:4: the character U+0001 is not allowed in YAML", "remove it"),
        (
            b"a:\n\tb: 1\n",
            "c.yaml:2:1: not valid YAML: found character '\\t' that cannot start any token",
            "indent with spaces, not tabs",
        ),
        (
            b"a: [1\nb: 2\n",
            "c.yaml:2:2: not valid YAML: expected ',' or ']', but got ':'",
            "check indentation and quotes",
        ),
        (
            b"a: 1\n---\nb: 2\n",
            "c.yaml:2:1: not valid YAML: expected a single document in the stream, but found another document",
            "check indentation and quotes",
        ),
        (
            b"a: !!python/object:os.system x\n",
            "c.yaml:1:4: YAML tags are not supported",
            "write plain values; quote a value that starts with `!` or is `=`",
        ),
        (
            b"token: *hunter2\n",
            "c.yaml:1:8: not valid YAML: a value that starts with `*` needs quotes",
            'quote it, as in "*-devel*"',
        ),
        (
            b"version: 1\nexclude: [*-devel*]\n",
            "c.yaml:2:11: not valid YAML: a value that starts with `*` needs quotes",
            'quote it, as in "*-devel*"',
        ),
        (
            b"token: &a+b c\n",
            "c.yaml:1:8: not valid YAML: a value that starts with `&` needs quotes",
            'quote it, as in "*-devel*"',
        ),
        (
            b"token: @home\n",
            "c.yaml:1:8: not valid YAML: a value that starts with `@` needs quotes",
            'quote it, as in "*-devel*"',
        ),
        (b"a: &x 1\nb: &x 2\n", None, None),
        (
            b"a: &a [*a]\n",
            "c.yaml:1:4: the file holds over 50000 values or 20 levels, aliases counted as often as used",
            "write fewer values, or use no aliases",
        ),
        (b"[" * 5000, "c.yaml:1:1: the file is nested too deeply", ""),
        (b"#" * (2**20 + 1), "c.yaml:1:1: the file is larger than 1 MiB", ""),
    ],
)
def test_files_that_are_no_config(tmp_path: Path, data: bytes, message: str, tip: str) -> None:
    found = failure(tmp_path, data)
    if message is None:
        assert found[0].startswith("c.yaml:")
    else:
        assert found == (message, tip)


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}{TOKEN}: 1\n",
        f"{HEAD}{TOKEN}: 1\n{TOKEN}: 2\n",
        f"{HEAD}{TOKEN}:\n",
        f'{HEAD}{TOKEN}: "a\\nb"\n',
        f"{HEAD}{TOKEN}: ${{HOME}}\n",
        f"{HEAD}exclude: {TOKEN}\n",
        f"{HEAD}rebuilds: {TOKEN}\n",
        HEAD.replace("  Leap: opensuse/15.6", f"  {TOKEN}: [[]]"),
        HEAD.replace("  Leap: opensuse/15.6", f"  Leap: {TOKEN}"),
        HEAD.replace("a/b", TOKEN),
        HEAD.replace("home:a", f"'{TOKEN} '"),
        HEAD.replace("  repository: a/b", f"  {TOKEN}\n  repository: a/b"),
        HEAD.replace("  repository: a/b", f"  token: {TOKEN}: x"),
        HEAD.replace("  repository: a/b", f"  repository: a/b\n  {TOKEN[:30]}/+={TOKEN[30:]}: 1"),
    ],
)
def test_a_token_in_the_wrong_place_is_not_repeated(tmp_path: Path, text: str) -> None:
    message, tip = failure(tmp_path, text)
    assert message.startswith("c.yaml:")
    assert "f1c0ffee" not in message + tip


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (f"[&a '{'x' * 500_000}'{', *a' * 40_000}]", "c.yaml:9:11: the file holds over 1 MiB of text, aliases counted"),
        (f"[&a 1{', *a' * 40_000}]", "c.yaml:9:11: exclude[0] must be a text, not a number"),
        (f"[&a ''{', *a' * 40_000}]", "c.yaml:9:11: exclude[0] is empty"),
    ],
)
def test_forty_thousand_aliases_cost_no_more_than_their_number(tmp_path: Path, value: str, message: str) -> None:
    with watchdog():
        assert failure(tmp_path, f"{HEAD}exclude: {value}\n")[0].startswith(message)


def test_values_that_are_different_mappings_are_compared_in_one_pass(tmp_path: Path) -> None:
    """Each with each other one: 32 million comparisons."""
    many = ", ".join(f"{{a: {number}}}" for number in range(8_000))
    with watchdog():
        assert "include_classes[0]" in failure(tmp_path, f"{HEAD}include_classes: [{many}]\n")[0]


def test_a_thousand_unknown_names_are_no_search_for_each(tmp_path: Path) -> None:
    names = "".join(f"    - name: home:a{number}\n" for number in range(3_000))
    globs = ", ".join(f"nothing{number}" for number in range(3_000))
    text = HEAD.replace(PROJECT, f"{names}  optional_projects: [{globs}]\n")
    with watchdog():
        assert "`nothing0` matches no project" in failure(tmp_path, text)[0]


def test_a_yaml_bomb_ends_soon(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    message, _ = failure(tmp_path, "\n".join(lines))
    assert "over 50000 values" in message


def test_an_expansion_without_bounds_is_refused(tmp_path: Path) -> None:
    expand = ", ".join(f"{name}: [{', '.join(f'v{n}' for n in range(20))}]" for name in "abcdefgh")
    name = ":".join(f"{{{letter}}}" for letter in "abcdefgh")
    message, tip = failure(tmp_path, HEAD.replace("name: home:a", f'name: "{name}"\n      expand: {{{expand}}}'))
    assert message == "c.yaml:5:7: `expand` makes 25600000000 projects, more than 1000"
    assert tip == "write fewer values"


def test_several_mistakes_are_listed_in_the_order_of_the_file_each_with_its_fix(tmp_path: Path) -> None:
    text = HEAD.replace("version: 1", "version: 7").replace("  projects", "  project") + "exclude: x\n"
    assert failure(tmp_path, text)[0].splitlines() == [
        "c.yaml:1:10: version 7 is not supported (write `version: 1`; a later version needs a later pkgsync)",
        "c.yaml:2:1: obs lacks the key `projects` (add `projects: ...`)",
        "c.yaml:3:3: unknown key `project` in obs (did you mean `projects`?)",
        'c.yaml:9:10: exclude must be a list, not a text (write ["x"])',
    ]


def test_many_mistakes_are_cut(tmp_path: Path) -> None:
    message, tip = failure(tmp_path, HEAD + "".join(f"zz{n}: 1\n" for n in range(30)))
    assert len(message.splitlines()) == 20
    assert tip == "and 10 more mistakes"


@pytest.mark.parametrize(
    "line",
    [
        "  token: 48151623",
        "  token: [s3cret]",
        "  tokn: s3cret",
        "  token: *s3cret",
        "  token: &s3cret",
        "  token: !s3cret",
        "  token: 's3cret",
        '  token: "s3cret\\n"',
        "  token: ${s3cret}${s3cret}",
        "  url: https://s3cret@pc.example",
        "  url: https://x.example/?token=s3cret",
    ],
)
def test_a_mistake_never_shows_a_secret(tmp_path: Path, line: str) -> None:
    message, tip = failure(tmp_path, HEAD.replace("  repository: a/b", f"  repository: a/b\n{line}"))
    assert "s3cret" not in message + tip
    assert "48151623" not in message + tip


def test_control_characters_of_a_value_are_escaped(tmp_path: Path) -> None:
    message, _ = failure(tmp_path, HEAD.replace("a/b", r'"\e[31m"'))
    assert "\x1b" not in message


@given(st.binary(max_size=200))
def test_no_bytes_make_anything_but_a_config_or_a_config_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "c.yaml"
    path.write_bytes(data)
    with pytest.raises(ConfigError):
        load(path, {})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = [
    "version", "obs", "packagecloud", "distributions", "include", "exclude", "include_classes", "rebuilds",
    "orphans", "limits", "connections", "allow_http", "allow_private", "obsprojects", "distro-mapping",
]  # fmt: skip


@given(st.sampled_from(KEYS), VALUES)
def test_no_value_of_a_key_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, key: str, value: str) -> None:
    import yaml

    data = {**yaml.safe_load(HEAD), key: value}
    path = tmp_path_factory.mktemp("any") / "c.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8", errors="replace")
    try:
        assert isinstance(load(path, {}), Config)
    except ConfigError as error:
        assert error.message.startswith(f"{path}:")


GOOD: dict[str, Any] = {
    "version": 1,
    "obs": {"api": "https://a.example", "projects": [{"name": "home:a", "architectures": ["x86_64"]}]},
    "packagecloud": {"repository": "a/b", "token": "${TOKEN}"},
    "distributions": {"Leap": ["opensuse/15.6"], "*": None},
    "include": ["*"],
    "orphans": {"action": "delete", "keep_versions": 3, "min_age": "14d", "names": ["a*"]},
    "limits": {"deletions": 20, "distributions": {"opensuse/15.6": {"deletions": 1}}},
}
ODD = st.sampled_from(
    [
        *(None, True, False, 0, 1, 1.0, -1, 101, 10**20, "", "a", "a/b", "a/b\n", "a\u00a0/b", "14d", "*", "delete"),
        *([], {}, [0, False], ["a", "a"], [{"a": 1, "b": 1}, {"b": 1, "a": 1}], {"name": "home:a"}, {"a": "b"}),
        *("\ufeff", "\x85"),
    ]
)
VALIDATOR = Draft202012Validator(schemas.load("config"))


@given(st.data())
def test_what_is_accepted_without_a_look_for_words_is_what_the_schema_accepts(data: st.DataObject) -> None:
    document = deepcopy(GOOD)
    assert accepts(schemas.load("config"), document)
    for _ in range(data.draw(st.integers(1, 3))):
        holder: Any = document
        while isinstance(holder, dict | list) and holder:
            keys = sorted(holder) if isinstance(holder, dict) else range(len(holder))
            key, above = data.draw(st.sampled_from(keys)), holder
            holder = above[key]
            if data.draw(st.booleans()):
                break
        above[key] = deepcopy(data.draw(ODD))
    if accepts(schemas.load("config"), document):
        assert VALIDATOR.is_valid(document)
