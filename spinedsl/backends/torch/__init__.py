"""The PyTorch backend: a program becomes one readable Python file (`emit`), or the module itself (`build`)."""

from spinedsl.backends.torch.build import build
from spinedsl.backends.torch.emit import emit

__all__ = ["build", "emit"]
