"""Signatures verified by pysequoia, where there is no gpgv. Its policy refuses what OBS often makes."""

import time
from collections.abc import Sequence

from pkgsync.errors import SignatureError
from pkgsync.model import Signed
from pkgsync.signatures.signed import day

_POLICY = "pysequoia refuses version 3 signatures, keys bound with SHA-1 and DSA keys of 1024 bits: install gpgv."


def verify(data: bytes, signatures: Sequence[bytes], keys: bytes, what: str) -> Signed:
    """Who vouches for ``data`` by one of these binary signatures. Raises SignatureError."""
    failures = []
    for packet in signatures:
        try:
            return _verified(packet, keys, what, data, detached=True)[1]
        except SignatureError as error:
            failures.append(error)
    raise failures[0]


def opened(clearsigned: bytes, signatures: Sequence[bytes], keys: bytes, what: str) -> tuple[bytes, Signed]:
    """The text that was verified, and who vouches for it. Raises SignatureError."""
    text, signed = _verified(signatures[0], keys, what, clearsigned, detached=False)
    return text + b"\n", signed  # which it takes for a part of the frame


def _verified(packet: bytes, keys: bytes, what: str, data: bytes, *, detached: bool) -> tuple[bytes, Signed]:
    import pysequoia

    try:
        certificates = pysequoia.Cert.split_bytes(keys)
        made = pysequoia.Sig.from_bytes(packet)
        signature = made if detached else None
        found = pysequoia.verify(bytes=data, store=lambda _ids: certificates, signature=signature)
        by = found.valid_sigs[0].certificate
        key = next(c for c in certificates if c.fingerprint == by)
        if key.is_revoked:
            raise SignatureError(f"{what}: signed by a key that is revoked")
        if made.created is None or found.bytes is None:
            raise SignatureError(f"{what}: the signature does not tell its time, or is of nothing")
    # all that it raises are RuntimeErrors, with a backtrace in their text
    except RuntimeError:
        raise SignatureError(f"{what}: pysequoia finds no good signature by a pinned key", tip=_POLICY) from None
    expires = int(key.expiration.timestamp()) if key.expiration else None
    expired = expires is not None and expires < time.time()
    warnings = (f"the key has expired on {day(expires)}, after it had signed",) if expires and expired else ()
    return found.bytes, Signed(
        fingerprint=by.upper(),
        signed_at=int(made.created.timestamp()),
        hash_algorithm=str(made.hash_algorithm).rpartition(".")[2],
        warnings=warnings,
    )
