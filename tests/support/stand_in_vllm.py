"""A stand-in for the part of vLLM that loads models, in the shapes that its documentation and source give.

`vllm.model_executor.model_loader` has `register_model_loader` and `get_model_loader`, `.base_loader` has
`BaseModelLoader`. A model of vLLM fuses tensors while it loads them, as `Fused` does.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest


@dataclass
class LoadConfig:
    """`vllm.config.LoadConfig`, as far as loaders read it."""

    load_format: str
    model_loader_extra_config: dict[str, Any] = field(default_factory=dict)


@dataclass
class ModelConfig:
    """`vllm.config.ModelConfig`, as far as loaders read it."""

    model: str
    quantization: str | None = None
    revision: str | None = None


class BaseModelLoader(ABC):
    def __init__(self, load_config: LoadConfig) -> None:
        self.load_config = load_config

    @abstractmethod
    def download_model(self, model_config: ModelConfig) -> None: ...

    @abstractmethod
    def load_weights(self, model: Any, model_config: ModelConfig) -> None: ...

    def load_model(self, model: Any, model_config: ModelConfig) -> Any:
        """As in vLLM, where it makes `model` itself, on the device."""
        self.load_weights(model, model_config)
        return model.eval()


def put_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[LoadConfig], Any]:
    """Put the modules in their places, and return `get_model_loader`."""
    loaders: dict[str, type[BaseModelLoader]] = {}

    def register_model_loader(load_format: str) -> Callable[[type], type]:
        def wrap(loader: type) -> type:
            if not issubclass(loader, BaseModelLoader):
                raise ValueError("The model loader must be a subclass of `BaseModelLoader`.")
            loaders[load_format] = loader
            return loader

        return wrap

    def get_model_loader(load_config: LoadConfig) -> Any:
        if load_config.load_format not in loaders:
            raise ValueError(f"Load format `{load_config.load_format}` is not supported")
        return loaders[load_config.load_format](load_config)

    names = ("vllm", "vllm.model_executor", "vllm.model_executor.model_loader")
    modules = {name: ModuleType(name) for name in (*names, f"{names[-1]}.base_loader")}
    modules[names[-1]].__dict__.update(register_model_loader=register_model_loader, get_model_loader=get_model_loader)
    modules[f"{names[-1]}.base_loader"].__dict__.update(BaseModelLoader=BaseModelLoader)
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return get_model_loader


def fused_model(torch: Any) -> Any:
    """Return a model with one `qkv` in the place of the files' `q`, `k` and `v`, as models of vLLM have it."""

    class Fused(torch.nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.qkv = torch.nn.Parameter(torch.empty(6, 4))
            self.norm = torch.nn.Parameter(torch.empty(4))

        def load_weights(self, weights: Iterable[tuple[str, Any]]) -> set[str]:
            filled = set()
            with torch.no_grad():
                for name, tensor in weights:
                    if name in ("q", "k", "v"):
                        start = 2 * "qkv".index(name)
                        self.qkv[start : start + 2] = tensor
                        filled.add("qkv")
                    elif name == "norm":
                        self.norm.copy_(tensor)
                        filled.add("norm")
            return filled

    return Fused()
