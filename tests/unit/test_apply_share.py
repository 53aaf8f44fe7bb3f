"""Whose an upload is: the same on every machine, in every process and for ever."""

from hypothesis import given
from hypothesis import strategies as st

from pkgsync.apply.share import Shard

# `printf %s KEY | sha256sum`: its last hex digit modulo 4, and 1 more
SHARES_OF_FOUR = {
    "opensuse/15.6/hello-1.0-1.x86_64.rpm": 1,  # ...4
    "ubuntu/jammy/hello_1.0-1_amd64.deb": 1,  # ...c
    "el/9/hello-1.0-1.el9.noarch.rpm": 3,  # ...a
}


def test_the_share_of_a_key_is_known_before() -> None:
    found = {key: [n for n in range(1, 5) if Shard(n, 4).takes(key)] for key in SHARES_OF_FOUR}
    assert found == {key: [number] for key, number in SHARES_OF_FOUR.items()}


@given(key=st.text(st.characters(exclude_categories=["Cs"])), count=st.integers(1, 50))
def test_every_key_is_in_just_one_share(key: str, count: int) -> None:
    assert sum(Shard(number, count).takes(key) for number in range(1, count + 1)) == 1


def test_shares_are_about_equal() -> None:
    sizes = [sum(Shard(n, 4).takes(f"el/9/tool{i}-1.0-1.noarch.rpm") for i in range(4000)) for n in range(1, 5)]
    assert sum(sizes) == 4000
    assert min(sizes) > 900
