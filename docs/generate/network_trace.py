"""Records the modules of a network, and which module feeds which, while the network runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

HEIGHT, WIDTH = 64, 96
"""Size of the images that the network runs on. The figures show only ratios."""


@dataclass
class Module:
    """A part of the network: class, first line of its docstring, output shapes and sources."""

    kind: str
    about: str
    shapes: list[torch.Size]
    sources: frozenset[str]

    def sizes(self) -> list[str]:
        """Return the channels and scale of each output, such as `24 @ 1/4`."""
        return [f"{shape[1]} @ 1/{HEIGHT // shape[2]}" for shape in self.shapes]


@dataclass
class Trace:
    """The modules by name, and the sources of each output of the network by its name."""

    modules: dict[str, Module]
    outputs: dict[str, frozenset[str]]


class _Traced(Tensor):
    """A tensor that remembers the modules or inputs (`in:NAME`) from which it was computed."""

    sources: frozenset[str]

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        sources = _sources((args, kwargs))
        with torch._C.DisableTorchFunctionSubclass():
            return _mark(func(*args, **kwargs), sources)


def trace(model: nn.Module) -> Trace:
    """Run a network on shapes alone and record its direct parts.

    Args:
        model: `model(visible, infrared)` returns a named tuple of tensors. The model is on the
            device meta, so nothing is computed.
    """
    modules: dict[str, Module] = {}
    hooks = []
    for name, part in model.named_children():
        hooks.append(part.register_forward_pre_hook(_enter(name, modules), with_kwargs=True))
        hooks.append(part.register_forward_hook(_leave(name, modules)))
    images = [
        _mark(torch.empty(1, channels, HEIGHT, WIDTH, device="meta"), frozenset({f"in:{name}"}))
        for name, channels in (("visible", 3), ("infrared", 1))
    ]
    with torch.no_grad():
        result = model.eval()(*images)
    for hook in hooks:
        hook.remove()
    return Trace(modules, {name: _sources(value) for name, value in result._asdict().items()})


def _enter(name: str, modules: dict[str, Module]) -> Any:
    def enter(part: nn.Module, args: Any, kwargs: Any) -> Any:
        is_ours = type(part).__module__.startswith("psfusion")
        about = (part.__doc__ or "").strip().partition("\n")[0] if is_ours else ""
        modules[name] = Module(type(part).__name__, about, [], _sources((args, kwargs)))
        return _plain(args), _plain(kwargs)

    return enter


def _leave(name: str, modules: dict[str, Module]) -> Any:
    def leave(part: nn.Module, args: Any, output: Any) -> Any:
        modules[name].shapes = [tensor.shape for tensor in _tensors(output)]
        return _mark(output, frozenset({name}))

    return leave


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensors(item)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))


def _sources(value: Any) -> frozenset[str]:
    return frozenset().union(*(t.sources for t in _tensors(value) if isinstance(t, _Traced)))


def _mark(value: Any, sources: frozenset[str]) -> Any:
    if isinstance(value, Tensor):
        marked = value.as_subclass(_Traced)
        marked.sources = sources
        return marked
    if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
        return type(value)(_mark(item, sources) for item in value)
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.as_subclass(Tensor)
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(item) for item in value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
