"""A user's own code: loaded from the files that are tracked and no others, its errors in the user's own lines."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from soundproof.core.errors import ConfigError, DataError
from soundproof.folders.own_code import OwnModel, own_model


class OwnCode:
    """The module that a model's name stands for.

    Modules beside a file are found while its code runs, and by it alone: two may each have a module of one name.
    They are compiled from what the files hold now, whatever was left in a cache.

    Args:
        model: ``path/to/file.py:build`` or ``package.module:build``.

    Raises:
        ConfigError: As :func:`soundproof.folders.own_code.own_model`.
    """

    def __init__(self, model: str) -> None:
        self.name = model
        self.parts: OwnModel = own_model(model)
        self._finder = _Finder(self.parts)
        self._loaded: dict[str, ModuleType] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> OwnCode:
        # modules cannot be copied, and need not be
        return self

    def maker(self) -> Callable[..., Any]:
        """Import the module and return what makes the model.

        Raises:
            ConfigError: The import fails, or the module has nothing of that name.
        """
        asked = f"the model '{self.name}'"
        with self.running():
            try:
                module = importlib.import_module(self.parts.module)
            except Exception as error:
                found = f"its import fails: {self.told(error)}"
                raise ConfigError(asked, found, "mend it, or install what it needs") from error
        made = getattr(module, self.parts.attribute, None)
        if not callable(made):
            found = f"the module has no function or class '{self.parts.attribute}'"
            raise ConfigError(asked, found, "name what makes the model from (bands, frames)")
        return made  # type: ignore[no-any-return]  # callable() is all that is known

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let imports find the modules that belong to the model."""
        if self.parts.installed:
            yield
            return
        names = self.parts.files.keys()
        outside = {name: sys.modules.pop(name) for name in names if name in sys.modules}
        sys.modules.update(self._loaded)
        sys.meta_path.insert(0, self._finder)
        try:
            yield
        finally:
            sys.meta_path.remove(self._finder)
            self._loaded = {name: sys.modules.pop(name) for name in names if name in sys.modules}
            sys.modules.update(outside)

    @contextmanager
    def calling(self, what: str) -> Iterator[None]:
        """Run code of the model, and say of its errors where in the user's files they arose.

        Raises:
            DataError: It failed.
        """
        with self.running():
            try:
                yield
            except (MemoryError, DataError, ConfigError):
                raise
            except Exception as error:
                if "out of memory" in str(error):
                    # a smaller pass may do
                    raise
                remedy = "mend the model"
                if "device" in str(error):
                    remedy = "keep tensors as buffers (register_buffer), or make them with device=x.device"
                raise DataError(f"{what} of the model '{self.name}'", self.told(error), remedy) from error

    def told(self, error: BaseException) -> str:
        """The error, and the user's own lines that lead to it."""
        own = {str(path.absolute()) for path in self.parts.files.values() if path is not None}
        lines: Sequence[traceback.FrameSummary] = [
            frame
            for frame in traceback.extract_tb(error.__traceback__)
            if str(Path(frame.filename).absolute()) in own
        ]
        said = f"{type(error).__name__}: {' '.join(str(error).split())}"
        places = [f"{Path(line.filename).name}, line {line.lineno}: {line.line}" for line in lines]
        return "\n    ".join([said, *places])


class _Finder(MetaPathFinder):
    """Finds the modules that belong to a model, and nothing else."""

    def __init__(self, parts: OwnModel) -> None:
        self._files = parts.files

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Say from which file a module is loaded."""
        if name not in self._files:
            return None
        file = self._files[name]
        if file is None:
            folder = ModuleSpec(name, None, is_package=True)
            # found here alone: what no import statement leads to is not tracked
            folder.submodule_search_locations = []
            return folder
        places: list[str] | None = [] if file.name == "__init__.py" else None
        return spec_from_file_location(
            name, file, loader=_Source(name, str(file)), submodule_search_locations=places
        )


class _Source(SourceFileLoader):
    """Compiles what the file holds: a cache goes by its date, and two edits may fall into one tick."""

    def get_code(self, fullname: str) -> Any:
        """Code of the module."""
        return self.source_to_code(self.get_data(self.path), self.path)
