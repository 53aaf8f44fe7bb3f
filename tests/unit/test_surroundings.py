"""Where a run keeps its files."""

from pathlib import Path

import pytest

from pkgsync.errors import UsageError
from pkgsync.surroundings import Surroundings


def of(folder: Path, cache: str, backups: str | None, state: str = "state") -> Surroundings:
    backup_dir = folder / backups if backups else None
    return Surroundings(env={}, home=folder, cache_dir=folder / cache, state_dir=folder / state, backup_dir=backup_dir)


@pytest.mark.parametrize(
    ("cache", "backups"), [("one", "one"), ("one", "one/in"), ("one/in", "one"), ("state", None), ("a/../one", "one")]
)
def test_cache_and_backups_never_share_a_folder(tmp_path: Path, cache: str, backups: str | None) -> None:
    with pytest.raises(UsageError, match="would not be safe") as error:
        of(tmp_path, cache, backups).refuse_shared_stores()
    assert "--backup-dir" in error.value.tip


def test_a_link_does_not_hide_that(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    with pytest.raises(UsageError):
        of(tmp_path, "link", "kept").refuse_shared_stores()


@pytest.mark.parametrize(("cache", "backups"), [("cache", "kept"), ("cache", None), ("cache", "cache2")])
def test_folders_of_their_own_are_fine(tmp_path: Path, cache: str, backups: str | None) -> None:
    of(tmp_path, cache, backups).refuse_shared_stores()
