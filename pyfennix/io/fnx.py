# SPDX-License-Identifier: MIT
"""Read and write ``.fnx`` checkpoints: MessagePack with arrays as extension types (notes §1)."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import msgpack
import numpy as np

from pyfennix.exceptions import ModelError

_ARRAY, _SCALAR = 1, 3
_DTYPES = {"float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16",
           "uint32", "uint64", "bool"}  # fmt: skip
_MAX_DEPTH = 64


def read_tree(path: str | os.PathLike) -> Any:
    """Unpack one MessagePack document whose leaves may be numpy arrays.

    Raises
    ------
    ModelError
        One sentence naming the file, for anything that is not such a document: pickles,
        truncated files, arrays whose size does not fit their bytes, unknown kinds.
    """
    path = Path(path)
    if path.suffix.lower() in (".pkl", ".pickle"):
        raise ModelError(f"{path}: pickled models are refused because loading one can run any code")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        # msgpack refuses lengths beyond the buffer, so nothing larger than the file is allocated
        return msgpack.unpackb(content, ext_hook=_decode, raw=False, strict_map_key=False,
                               object_pairs_hook=_map)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    except (ValueError, TypeError, RecursionError, msgpack.exceptions.UnpackException) as error:
        raise ModelError(f"{path}: not a readable .fnx file ({_reason(error)})") from None


def write_tree(path: str | os.PathLike, tree: Any) -> None:
    """Pack a tree of dicts, lists, scalars and numpy arrays; replaces the file atomically."""
    path = Path(path)
    partial = path.with_name(path.name + ".partial")
    with open(partial, "wb") as file:
        file.write(msgpack.packb(_sorted(tree), default=_encode, use_bin_type=True))
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def read_fnx(path: str | os.PathLike) -> dict[str, Any]:
    """Read a model checkpoint and check its outline.

    Returns
    -------
    dict with ``cutoff``, ``preprocessing``, ``modules`` (lists of [name, params]),
    ``energy_terms`` (list), ``energy_unit`` and ``variables`` (nested dicts of arrays), plus
    whatever else the file holds.

    Raises
    ------
    ModelError
        When the file is not a checkpoint; one sentence naming the file.
    """
    tree = read_tree(path)
    if not isinstance(tree, dict) or not {"modules", "preprocessing", "variables"} <= set(tree):
        raise ModelError(f"{path}: not a .fnx model (no modules, preprocessing and variables)")
    for key in ("modules", "preprocessing"):
        if isinstance(tree[key], dict):
            tree[key] = [list(item) for item in tree[key].items()]
        if not isinstance(tree[key], list) or not all(_is_entry(entry) for entry in tree[key]):
            raise ModelError(f"{path}: {key} is not a list of [name, parameters]")
    variables = tree["variables"]
    if not isinstance(variables, dict) or not isinstance(variables.get("params", {}), dict):
        raise ModelError(f"{path}: variables is not a map with a map of params")
    others = [key for key, value in variables.items() if key != "params" and value]
    if others:
        raise ModelError(f"{path}: variables hold {_short(others[0])}, expected params alone")
    cutoff = tree.get("cutoff")
    if not isinstance(cutoff, int | float) or isinstance(cutoff, bool) or not 0 < cutoff < 1000:
        raise ModelError(f"{path}: cutoff {_short(cutoff)} is not a distance in Å")
    terms = tree.get("energy_terms")
    if isinstance(terms, str):
        tree["energy_terms"] = terms = [terms]
    if not isinstance(terms, list) or not terms or not all(isinstance(t, str) for t in terms):
        raise ModelError(f"{path}: no energy_terms, hence no energy")
    if not isinstance(tree.setdefault("energy_unit", "Ha"), str):
        raise ModelError(f"{path}: energy_unit is not a text")
    return tree


def flatten(tree: dict, prefix: str = "", depth: int = 0) -> dict[str, np.ndarray]:
    """Nested parameters -> {"module.sub.leaf": array}."""
    if depth > _MAX_DEPTH:
        raise ModelError("parameters are nested too deeply")
    flat: dict[str, np.ndarray] = {}
    for key, value in tree.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(value, dict):
            flat |= flatten(value, name, depth + 1)
        elif isinstance(value, np.ndarray | np.generic | float | int):
            flat[name] = np.asarray(value)
        else:
            raise ModelError(f"parameter {name} is not an array")
    return flat


def nest(flat: dict[str, np.ndarray]) -> dict:
    """The inverse of :func:`flatten`."""
    tree: dict = {}
    for name, value in flat.items():
        *path, leaf = name.split(".")
        node = tree
        for key in path:
            node = node.setdefault(key, {})
        node[leaf] = value
    return tree


def _map(pairs: list[tuple[Any, Any]]) -> dict:
    """A map whose keys are all different."""
    found: dict = {}
    for key, value in pairs:
        if key in found:
            raise ModelError(f"the name {_short(key)} appears twice in a map")
        found[key] = value
    return found


def _short(value: Any) -> str:
    """A value as it fits into a sentence."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."


def _is_entry(entry: Any) -> bool:
    return (isinstance(entry, list) and len(entry) == 2
            and isinstance(entry[0], str) and isinstance(entry[1], dict))


def _reason(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return text[0] if text and text[0] else type(error).__name__


def _decode(code: int, payload: bytes) -> Any:
    """MessagePack extension -> numpy array or scalar, sizes checked before anything is made."""
    if code not in (_ARRAY, _SCALAR):
        raise ModelError(f"extension type {code} is not an array")
    parts = msgpack.unpackb(payload, raw=True)
    if not isinstance(parts, list | tuple) or len(parts) != 3:
        raise ModelError("an array is not made of shape, kind and bytes")
    shape, dtype, buffer = parts
    dtype = dtype.decode("ascii", "replace") if isinstance(dtype, bytes) else str(dtype)
    if dtype not in _DTYPES:
        raise ModelError(f"an array is of kind {dtype!r}")
    if not isinstance(shape, list | tuple) or len(shape) > 16 or not all(
        isinstance(n, int) and n >= 0 for n in shape
    ):
        raise ModelError("an array has no proper shape")
    if not isinstance(buffer, bytes) or math.prod(shape) * np.dtype(dtype).itemsize != len(buffer):
        raise ModelError(f"an array of shape {tuple(shape)} does not fit its bytes")
    kind = np.dtype(dtype).newbyteorder("<")
    array = np.frombuffer(buffer, dtype=kind).astype(dtype).reshape(shape)
    return array[()] if code == _SCALAR else array


def _encode(value: Any) -> Any:
    """numpy array or scalar -> MessagePack extension."""
    if isinstance(value, np.ndarray | np.generic):
        code = _ARRAY if isinstance(value, np.ndarray) else _SCALAR
        array = np.asarray(value)
        if array.dtype.name not in _DTYPES:
            raise TypeError(f"cannot write an array of kind {array.dtype}")
        buffer = array.astype(array.dtype.newbyteorder("<")).tobytes(order="C")
        payload = [list(array.shape), array.dtype.name, buffer]
        return msgpack.ExtType(code, msgpack.packb(payload, use_bin_type=True))
    raise TypeError(f"cannot write a {type(value).__name__}")


def _sorted(tree: Any) -> Any:
    """Maps in alphabetical order, as flax writes them."""
    if isinstance(tree, dict):
        return {key: _sorted(tree[key]) for key in sorted(tree, key=str)}
    if isinstance(tree, list | tuple):
        return [_sorted(item) for item in tree]
    return tree
