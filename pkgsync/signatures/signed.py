"""What a verifier tells of a good signature, and which hashes a good one may use."""

from attrs import frozen

STRONG_HASHES = {8: "SHA256", 9: "SHA384", 10: "SHA512", 11: "SHA224", 12: "SHA3-256", 14: "SHA3-512"}
"""By their numbers in OpenPGP (RFC 9580, section 9.5). Of the others, MD5 and SHA-1 can be forged."""


@frozen(kw_only=True)
class Signed:
    """Who vouches: the primary key's fingerprint in upper-case hex, and when, in seconds since 1970.

    ``warnings`` are clauses on what is not wrong yet, such as a key that has expired since.
    """

    fingerprint: str
    signed_at: int
    hash_algorithm: str
    warnings: tuple[str, ...] = ()


def day(seconds: int) -> str:
    """The day (UTC) of a time in seconds since 1970, for people."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def shown(fingerprint: str) -> str:
    """In groups of four, as people compare them."""
    return " ".join(fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4))
