"""Types of the WSGI interface, as far as the sandbox uses it."""

from collections.abc import Callable, Iterable
from typing import Any

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
Body = Iterable[bytes]
Application = Callable[[Environ, StartResponse], Body]
