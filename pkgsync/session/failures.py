"""What it means when a request gets no answer at all."""

import requests
import urllib3

from pkgsync.errors import ReadError
from pkgsync.session.reply import TransientError
from pkgsync.session.watch import Watch


def failure(error: Exception, what: str, watch: Watch) -> TransientError:
    """The failed attempt that ``error`` stands for; its words hold no URL, which could be a signed one."""
    # requests and urllib3 wrap it in layers that change; this word of OpenSSL stays
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        tip = "Name the right CA bundle in REQUESTS_CA_BUNDLE; the check is never left out."
        wrong = ReadError(f"{what}: the server's certificate is not trusted", tip=tip)
        return TransientError(wrong, hopeless=True, sent=False)
    timed_out = watch.broken is not None or isinstance(error, requests.Timeout | TimeoutError)
    read_error = ReadError(f"{what}: {_words(error, watch)}", tip="Check the network and the URL, or try again later.")
    return TransientError(read_error, timed_out=timed_out, sent=not _surely_not_sent(error, watch))


def _words(error: Exception, watch: Watch) -> str:
    if watch.broken:
        return watch.broken
    reason = _reason(error)
    if isinstance(reason, urllib3.exceptions.NameResolutionError):
        return "the server's name cannot be resolved"
    if isinstance(error, requests.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy does not connect"
    if isinstance(reason, urllib3.exceptions.NewConnectionError):
        return "no connection"
    if isinstance(error, requests.Timeout | TimeoutError):
        return "no answer in time"
    return "the connection was lost"


def _surely_not_sent(error: Exception, watch: Watch) -> bool:
    # only what ends before the first byte: of anything later nobody knows whether the change was made
    if isinstance(error, requests.ConnectTimeout) or isinstance(_reason(error), urllib3.exceptions.NewConnectionError):
        return True
    return not watch.connected and isinstance(error, requests.exceptions.SSLError | requests.exceptions.ProxyError)


def _reason(error: Exception) -> object:
    inner = error.args[0] if error.args else None
    return getattr(inner, "reason", inner)
