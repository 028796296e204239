"""Make the registry's torchaudio import beside a CPU-only torch.

Its wheel is a CUDA build: with a CPU-only torch its shared libraries cannot be loaded. torchaudio skips its
extension when no library file is there, and all that this project uses (transforms, resampling) is Python.
"""

import importlib.metadata
import pathlib
import sys

import torch

if torch.version.cuda is None:
    distribution = importlib.metadata.distribution("torchaudio")
    for library in pathlib.Path(str(distribution.locate_file("torchaudio/lib"))).glob("*.so"):
        library.unlink()
import torchaudio

sys.stderr.write(
    f"torch {torch.__version__}, torchaudio {torchaudio.__version__}, CUDA {torch.version.cuda}\n"
)
