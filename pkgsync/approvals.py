"""Signatures over a plan: who has approved it, as ssh-keygen finds it by a file of those who may."""

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct, field

from pkgsync import ssh
from pkgsync.config import Config
from pkgsync.errors import ConfigError, IntegrityError, UsageError
from pkgsync.files import write_atomically
from pkgsync.model import Approval, ApprovalRule, Plan, iso
from pkgsync.model.secret import SshKey

NAMESPACE = "pkgsync-plan"
_MOST_BYTES = 2**18
_MOST_BLOCKS = 40
_BLOCK = re.compile(r"-----BEGIN SSH SIGNATURE-----\n[A-Za-z0-9+/=\n]+-----END SSH SIGNATURE-----\n")


def place(plan: Path) -> Path:
    """Where the signatures of a plan file stand."""
    return plan.with_name(f"{plan.name}.sig")


def sign(plan: Plan, key: SshKey, path: Path) -> tuple[str, int]:
    """Add a signature over the plan's digest to the file ``path``; its key's fingerprint, and how many are there now.

    Raises UsageError where the key has signed already, IntegrityError where the file holds anything else than
    signatures of this plan; AuthenticationError, OSError.
    """
    text, blocks = _text(plan), _read(path)
    signed = [ssh.key_of(block, NAMESPACE, text) for block in blocks]
    if None in signed:
        raise IntegrityError(f"{path} holds a signature of another plan.", tip="Move that file away, then sign again.")
    made = ssh.sign(key, NAMESPACE, text)
    fingerprint = ssh.key_of(made, NAMESPACE, text)
    if fingerprint is None:
        raise IntegrityError("ssh-keygen does not find its own signature good.")
    if fingerprint in signed:
        raise UsageError(f"{path} holds a signature of {fingerprint} already.", tip="Somebody else must sign, if more.")
    write_atomically(path, "".join([*blocks, made]).encode())
    return fingerprint, len(blocks) + 1


def check(plan: Plan, config: Config, path: Path | None, now: datetime, *, demanded: bool) -> tuple[Approval, ...]:
    """The approvals that count, where some are needed: as the config says, and where ``demanded`` at least one.

    ``path`` is the file of signatures. Nobody counts twice, neither by another key nor by another name. Raises
    IntegrityError where too few have signed, UsageError where the config does not say who may, ConfigError where its
    file of signers cannot be read.
    """
    rule = config.policy.limits.approvals
    if rule is None and demanded:
        raise UsageError(
            f"--require-signature: {config.path} does not say who may sign.",
            tip="Add `limits: {approvals: {signers: FILE}}`.",
        )
    least = max(needed(plan, config), int(demanded and bool(plan.actions)))
    if rule is None or least == 0:
        return ()
    judging = _Judging(_text(plan), _signers(config, rule), now)
    told = [words for block in (_read(path) if path else ()) if (words := judging.take(block))]
    if len(judging.counted) < least:
        file = shlex.quote(str(path).removesuffix(".sig")) if path else "PLAN"
        raise IntegrityError(
            _too_few(plan, rule, least, judging.counted, told), tip=f"Let it be signed: pkgsync sign {file}"
        )
    return tuple(judging.counted)


def needed(plan: Plan, config: Config) -> int:
    """How many must have signed the plan, as the config says. What changes nothing needs nobody."""
    rule = config.policy.limits.approvals
    if rule is None or not plan.actions:
        return 0
    return max(rule.required, rule.for_deletions) if plan.removals else rule.required


def _text(plan: Plan) -> str:
    return f"{plan.digest}\n"


def _signers(config: Config, rule: ApprovalRule) -> Path:
    path = config.path.parent / rule.signers
    if not (path.is_file() and os.access(path, os.R_OK)):
        words = f"{config.path}: limits.approvals.signers: there is no file {path} that can be read"
        raise ConfigError(words, tip="A line for each who may sign: NAME and public key.")
    return path


class _Judging(Struct, frozen=True):
    """Takes signatures one by one, and collects those that count."""

    text: str
    allowed: Path
    now: datetime
    counted: list[Approval] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)

    def take(self, block: str) -> str:
        """Why it does not count; or nothing."""
        key = ssh.key_of(block, NAMESPACE, self.text)
        if key is None:
            return "one is not of this plan"
        names = ssh.signers_of(block, NAMESPACE, self.text, self.allowed, self.now)
        if not names:
            return f"{self.allowed.name} does not let {key} sign plans now"
        if any(self._is_one(approval, earlier, key, names, block) for approval, earlier in self._both()):
            return f"{', '.join(names)} counts once"
        self.counted.append(Approval(names, key, iso(self.now)))
        self.blocks.append(block)
        return ""

    def _both(self) -> Iterator[tuple[Approval, str]]:
        return zip(self.counted, self.blocks, strict=True)

    def _is_one(self, approval: Approval, earlier: str, key: str, names: Sequence[str], block: str) -> bool:
        """Whether one person may have made both: with one key, or under a name that has both keys."""
        return (
            approval.key == key
            or any(self._may_be_of(name, earlier) for name in names)
            or any(self._may_be_of(name, block) for name in approval.signers)
        )

    def _may_be_of(self, name: str, block: str) -> bool:
        return ssh.may_be_of(name, block, NAMESPACE, self.text, self.allowed, self.now)


def _too_few(plan: Plan, rule: ApprovalRule, least: int, counted: list[Approval], told: list[str]) -> str:
    why = ", as it deletes" if plan.removals and least == rule.for_deletions > rule.required else ""
    who = f"{', '.join(one.signers[0] for one in counted)} signed" if counted else "nobody who may has signed"
    lacking = least - len(counted)
    words = f"The plan needs {least} signature{'' if least == 1 else 's'}{why}: {who}, {lacking} missing."
    return f"{words} Not counted: {'; '.join(told)}." if told else words


def _read(path: Path) -> tuple[str, ...]:
    """The blocks of a file, none where there is no file. Raises IntegrityError, UsageError."""
    try:
        with path.open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from None
    text = data.decode("ascii", errors="replace").replace("\r\n", "\n")
    blocks = tuple(_BLOCK.findall(text))
    if len(data) > _MOST_BYTES or len(blocks) > _MOST_BLOCKS or _BLOCK.sub("", text).strip():
        raise IntegrityError(
            f"{path} holds something else than SSH signatures, or too many.", tip="Move it away, then sign again."
        )
    return blocks
