"""The form of an upload, as a server reads it."""

import io

import pytest
from werkzeug.formparser import FormDataParser

from pkgsync.packagecloud.client import _PIECE, _Form


@pytest.mark.parametrize("size", [0, 1, _PIECE - 1, _PIECE, _PIECE + 1, 3 * _PIECE])
def test_a_form_holds_the_distribution_and_the_whole_file(size: int) -> None:
    data, counted = bytes(number % 251 for number in range(size)), list[int]()
    form = _Form(27, "libdemo++1-1.0~rc1-1.x86_64.rpm", io.BytesIO(data), size, counted.append)
    sent = b"".join(form)
    assert (len(sent), sum(counted)) == (len(form), size)
    kind = form.content_type.partition("; boundary=")
    parser = FormDataParser(max_form_memory_size=None)
    _, fields, files = parser.parse(io.BytesIO(sent), kind[0], len(sent), {"boundary": kind[2]})
    assert dict(fields) == {"package[distro_version_id]": "27"}
    (file,) = files.values()
    assert (file.name, file.filename) == ("package[package_file]", "libdemo++1-1.0~rc1-1.x86_64.rpm")
    with file.stream as stream:
        assert stream.read() == data
