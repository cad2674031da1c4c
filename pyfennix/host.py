# SPDX-License-Identifier: MIT
"""Builds what the engine calls back: providers and frame sinks, from the engine's own settings."""

from __future__ import annotations

import atexit
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import torch

from pyfennix import resources
from pyfennix.callback import make_provider
from pyfennix.exceptions import FennixError
from pyfennix.failure import sentence, show_traceback
from pyfennix.frames import FrameSink
from pyfennix.holes import HoleSink
from pyfennix.models.adapters.door import AnyModel
from pyfennix.provider_handle import ProviderHandle


@dataclass
class Attachment:
    """What the engine may call; keep it as long as the engine lives.

    Attributes
    ----------
    providers
        Accurate level, then the fast level if there is one.
    sink
        Writer of NAME.h5, None when no frame file is wanted.
    holes
        Writer of NAME.holes.h5, None when nothing is harvested.
    """

    providers: list[ProviderHandle] = field(default_factory=list)
    sink: FrameSink | None = None
    holes: HoleSink | None = None

    def close(self) -> None:
        """Close the files; harmless when they are closed already."""
        for sink in (self.sink, self.holes):
            if sink is not None:
                sink.close()


def parse(text: str) -> dict[str, str]:
    r"""Settings from lines ``key=value``; ``\n`` and ``\\`` in a value stand for themselves."""
    facts = {}
    for line in text.split("\n"):
        key, found, value = line.partition("=")
        if found:
            parts = value.split("\\\\")
            facts[key] = "\\".join(part.replace("\\n", "\n") for part in parts)
    return facts


def build(
    facts: dict[str, str],
    models: tuple[AnyModel | None, AnyModel | None] = (None, None),
    threads: int | None = None,
) -> Attachment:
    """Load the models and make the providers and the frame sinks.

    Parameters
    ----------
    facts
        Settings as the engine gives them.
    models
        Accurate and fast model for which the caller has objects; those of torch are moved and
        frozen.
    threads
        CPU threads for torch; None leaves torch as it is.

    Raises
    ------
    FennixError
        When a model cannot be read or the device is not there.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    device = resources.choose_device(facts.get("device", "auto"), int(facts.get("node_rank", 0)))
    precision = facts.get("precision", "float32")
    attachment = Attachment()
    for given, key in zip(models, ("model_accurate", "model_fast"), strict=True):
        if given is None and not facts.get(key):
            continue
        try:
            model = load(facts[key], precision, device) if given is None else given
            attachment.providers.append(make_provider(model, device))
        except FennixError as error:
            place = facts.get(key.replace("model", "place"))
            raise type(error)(f"{place}: {error}" if place else str(error)) from error
    texts = parameters(facts, attachment.providers)
    if facts.get("h5_file"):
        attachment.sink = FrameSink(Path(facts["h5_file"]), texts, texts["version"])
    if facts.get("holes_file"):
        attachment.holes = HoleSink(Path(facts["holes_file"]), texts, texts["version"])
    return attachment


def load(name: str, precision: str, device: torch.device) -> AnyModel:
    """Read a model by its shipped name or from a file."""
    from pyfennix.models.registry import load_model

    return load_model(name, dtype=precision, device=device)


def parameters(facts: dict[str, str], providers: list[ProviderHandle]) -> dict[str, str]:
    """Text for /parameters of the trajectory: enough to repeat the run."""
    kept = {"keyfile": facts.get("key_text", ""), "seed": facts.get("seed", "")}
    kept["version"] = version("pyfennix")
    kept["torch"] = str(torch.__version__)  # a subclass of str that h5py refuses
    for key, provider in zip(("model_accurate", "model_fast"), providers, strict=False):
        kept[key] = provider.label
    return kept


# The executable has no Python object that could own what it calls: this list does.
_attached: list[Attachment] = []


def attach(text: str) -> tuple[int, int, int, int] | str:
    """Entry of the executable: addresses of accurate, fast and the two sink records (0 = none).

    Returns one sentence instead when something is wrong.
    """
    try:
        facts = parse(text)
        threads = resources.choose_threads(int(facts.get("threads", 0)), int(facts.get("cores", 0)))
        attachment = build(facts, threads=threads)
    except Exception as error:
        show_traceback(error)
        return sentence(error, "starting the models")
    _attached.append(attachment)
    atexit.register(attachment.close)  # whatever ends the run, the files end well
    fast = attachment.providers[1].address if len(attachment.providers) > 1 else 0
    sink = attachment.sink.address if attachment.sink else 0
    if not attachment.providers:
        return sentence(FennixError("no model was named; the keyword is ml-model"), "")
    holes = attachment.holes.address if attachment.holes else 0
    return attachment.providers[0].address, fast, sink, holes
