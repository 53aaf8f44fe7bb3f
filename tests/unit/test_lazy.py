"""Packages that import a module when one of its names is asked for."""

import ast
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from pkgsync import model, proposals, reconcile, report, session


def promised(package: ModuleType) -> dict[str, object]:
    """What the imports of the package that only type checkers follow say a name is."""
    assert package.__file__
    imports = [n for n in ast.walk(ast.parse(Path(package.__file__).read_text())) if isinstance(n, ast.ImportFrom)]
    pairs = [(i.module, alias.name) for i in imports for alias in i.names if i.module and i.module.startswith(package.__name__)]  # fmt: skip
    return {name: getattr(import_module(module), name) for module, name in pairs}


@pytest.mark.parametrize("package", [model, proposals, reconcile, report, session])
def test_each_name_is_what_type_checkers_take_it_for(package: ModuleType) -> None:
    found = promised(package)
    assert set(package.__all__) - {"iso"} == set(found)
    for name, value in found.items():
        assert package.__getattr__(name) is value
        assert getattr(package, name) is value


@pytest.mark.parametrize("package", [model, proposals, reconcile, report, session])
def test_nothing_else_is_there(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match="has no attribute 'frozen'"):
        package.__getattr__("frozen")


@pytest.mark.parametrize("package", [model, proposals, reconcile, report, session])
def test_no_name_is_that_of_a_module_of_its_own(package: ModuleType) -> None:
    assert package.__file__
    # importing such a module would put it in the name's place
    assert {path.stem for path in Path(package.__file__).parent.iterdir()} & set(package.__all__) == set()
