"""What a verifier tells of a good signature, and which hashes a good one may use."""

STRONG_HASHES = {8: "SHA256", 9: "SHA384", 10: "SHA512", 11: "SHA224", 12: "SHA3-256", 14: "SHA3-512"}
"""By their numbers in OpenPGP (RFC 9580, section 9.5). Of the others, MD5 and SHA-1 can be forged."""


def day(seconds: int) -> str:
    """The day (UTC) of a time in seconds since 1970, for people."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def shown(fingerprint: str) -> str:
    """In groups of four, as people compare them."""
    return " ".join(fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4))
