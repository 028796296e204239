"""An ONNX model as a torch module, where all of its operators convert: what gradients are taken of."""

from __future__ import annotations

from types import ModuleType

from torch import nn

from soundproof.core.errors import ConfigError, DataError

WITHOUT = (
    "set 'gradients: false': ONNX Runtime alone is asked then, and explainers that ask for scores alone fit"
)
"""What to do about a model that has no gradients."""


def converted(name: str, content: bytes) -> nn.Module:
    """Convert a model with onnx2fx, a converter of others.

    Args:
        name: Name of the file, for messages.
        content: The file, which ONNX Runtime can read.

    Returns:
        A module that takes and returns what the model does; what it learnt are buffers.

    Raises:
        ConfigError: The converter is not installed.
        DataError: An operator that it does not know, or a model that it fails at.
    """
    onnx, onnx2fx = _converter()
    model = onnx.load_model_from_string(content)
    asked = f"gradients of the model '{name}', by its conversion to torch"
    unknown = sorted(
        f"'{domain}:{kind}'" if domain else f"'{kind}'"
        for kind, domain, _ in onnx2fx.analyze_model(model).unsupported_ops
    )
    if unknown:
        raise DataError(asked, f"operators that do not convert: {', '.join(unknown)}", WITHOUT)
    try:
        made: nn.Module = onnx2fx.convert(model)
    except Exception as error:
        # an operator within a branch or loop, a kind of number, or a form that is not covered
        said = " ".join(str(error).split())
        raise DataError(asked, f"{type(error).__name__}: {said}", WITHOUT) from error
    return made.eval().requires_grad_(False)


def _converter() -> tuple[ModuleType, ModuleType]:
    try:
        import onnx
        import onnx2fx
    except ModuleNotFoundError as error:
        remedy = (
            "install it: ./run python -m pip install --no-deps onnx2fx==0.0.1 (the library: "
            f"pip install 'soundproof[onnx]'); or {WITHOUT}"
        )
        raise ConfigError(
            "onnx2fx, which converts ONNX models to torch", f"no module '{error.name}'", remedy
        ) from error
    return onnx, onnx2fx
