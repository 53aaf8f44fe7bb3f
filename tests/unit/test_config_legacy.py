"""The predecessor's format; the project names are those that its getOBSProjects composed."""

from pathlib import Path

import pytest
import yaml

from pkgsync.config import load, managed_distributions
from pkgsync.errors import ConfigError

OLD = """\
description: |
  Two lines
  of text
obsprojects:
  home:kata:releases:
    auth:
      user: foo
      password: hunter2
    releases:
      - master
      - 1.10
    architectures:
      - x86_64
      - aarch64
  home:full:
packagecloud:
  auth:
    user: kata
    token: 48151623
  repo: testing
distro-mapping:
  Leap_15.6  : opensuse/15.6
  RHEL_7     :
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return path


def test_the_predecessors_form_is_read(tmp_path: Path) -> None:
    config = load(write(tmp_path, OLD), {})
    assert config.legacy
    assert [project.name for project in config.obs.projects] == [
        "home:kata:releases:x86_64:master",
        "home:kata:releases:x86_64:1.10",
        "home:kata:releases:aarch64:master",
        "home:kata:releases:aarch64:1.10",
        "home:full",
    ]
    assert config.obs.api == "https://api.opensuse.org"
    assert config.packagecloud.repository == "kata/testing"
    assert config.obs.projects[0].distributions == {"Leap_15.6": ("opensuse/15.6",), "RHEL_7": None}
    assert managed_distributions(config) == ("opensuse/15.6",)
    secrets = config.secrets
    assert (secrets.obs_username, secrets.obs_password, secrets.packagecloud_token) == ("foo", "hunter2", "48151623")


def test_a_warning_shows_the_present_form_without_secrets(tmp_path: Path) -> None:
    path = write(tmp_path, OLD)
    config = load(path, {})
    *plain, old_form = config.warnings
    assert [warning.split()[0] for warning in plain] == ["obs.username", "obs.password", "packagecloud.token"]
    assert all(secret not in "".join(config.warnings) for secret in ("hunter2", "48151623"))
    present = old_form.partition(":\n")[2]
    assert yaml.safe_load(present) == {
        "version": 1,
        "obs": {
            "api": "https://api.opensuse.org",
            "projects": [
                {
                    "name": "home:kata:releases:{architecture}:{release}",
                    "expand": {"architecture": ["x86_64", "aarch64"], "release": ["master", "1.10"]},
                },
                {"name": "home:full"},
            ],
        },
        "packagecloud": {"url": "https://packagecloud.io", "repository": "kata/testing"},
        "distributions": {"Leap_15.6": "opensuse/15.6", "RHEL_7": None},
    }


def test_the_present_form_of_the_warning_is_the_same_config(tmp_path: Path) -> None:
    old = load(write(tmp_path, OLD), {})
    new = load(write(tmp_path, old.warnings[-1].partition(":\n")[2]), {})
    assert not new.legacy
    assert (new.warnings, new.digest) == ((), old.digest)


@pytest.mark.parametrize(
    ("lists", "names"),
    [
        ("releases: [a, b]", ["home:x:a", "home:x:b"]),
        ("architectures: [s390x]", ["home:x:s390x"]),
        ("releases: []", ["home:x"]),
        ("releases:", ["home:x"]),
    ],
)
def test_either_list_may_be_missing(tmp_path: Path, lists: list[list[str]], names: list[str]) -> None:
    text = f"obsprojects: {{'home:x': {{{lists}}}}}\npackagecloud: {{repo: a/b}}\ndistro-mapping: {{L: el/9}}\n"
    assert [project.name for project in load(write(tmp_path, text), {}).obs.projects] == names


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("    releases:", "    release:", "9:5", "unknown key `release` in obsprojects.home:kata:releases"),
        ("opensuse/15.6", "opensuse", "22:16", "`opensuse` is not a Packagecloud distribution"),
        ("  repo: testing\n", "", "16:1", "packagecloud lacks the key `repo`"),
        ("    user: kata\n", "", "19:9", "`testing` is not a Packagecloud repository"),
        ("  home:full:\n", "  home:b: {auth: {user: u, password: p}}\n", "4:1", "the projects have different logins"),
        ("  RHEL_7     :", "  Leap_15.6:", "23:3", "duplicate key `Leap_15.6`"),
    ],
)
def test_mistakes_point_into_the_old_file(tmp_path: Path, old: str, new: str, where: str, what: str) -> None:
    path = write(tmp_path, OLD.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    assert f"{path}:{where}: {what}" in caught.value.message
    assert "hunter2" not in caught.value.message
