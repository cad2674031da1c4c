# SPDX-License-Identifier: MIT
"""What the executable asks of Python: settings in, addresses or one sentence out."""

import ctypes

import pytest
import torch
from helpers.runs import MODELS

from pyfennix import host, seam

ACCURATE, FAST = f"{MODELS}/pairs.py:Accurate", f"{MODELS}/pairs.py:Fast"


@pytest.fixture(autouse=True)
def keep_threads():
    """attach() sets torch's threads for the process."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def escaped(text):
    return text.replace("\\", "\\\\").replace("\n", "\\n")


@pytest.mark.parametrize("text", ["", "a b", "dt 1\nx\\y \\n\n", "a=b=c\\\\n", "Å"])
def test_settings_come_back(text):
    assert host.parse(f"one={escaped(text)}\ntwo=2\n") == {"one": text, "two": "2"}


def test_attach_gives_addresses(tmp_path):
    text = f"model_accurate={ACCURATE}\nmodel_fast={FAST}\nthreads=1\nprecision=float64\n"
    text += f"h5_file={tmp_path}/x.h5\nholes_file={tmp_path}/x.holes.h5\n"
    accurate, fast, *sinks = host.attach(text)
    records = [seam.ProviderRecord.from_address(address) for address in (accurate, fast)]
    assert [record.cutoff for record in records] == [5.5, 3.5]
    assert records[0].label == b"pairs.py:Accurate (Accurate, 0 parameters, float64, cpu, 1 thread)"
    sinks = [seam.FrameSinkRecord.from_address(address) for address in sinks]
    assert [sink.version for sink in sinks] == [seam.VERSION] * 2
    assert [bool(sink.summary) for sink in sinks] == [False, True]
    assert torch.get_num_threads() == 1
    assert not list(tmp_path.iterdir())  # the engine opens the file, when it is ready


def test_attach_without_fast_model_and_frames():
    accurate, fast, *sinks = host.attach(f"model_accurate={ACCURATE}\nthreads=1\n")
    assert accurate
    assert (fast, *sinks) == (0, 0, 0)


@pytest.mark.parametrize(("text", "words"), [
    ("threads=1\n", "no model was named"),
    ("model_accurate=nothing.fnx\nthreads=1\n", "nothing.fnx"),
    (f"model_accurate={ACCURATE}\ndevice=cuda:77\nthreads=1\n", "cuda:77"),
    (f"model_accurate={ACCURATE}\nprecision=float16\nthreads=1\n", "float16"),
    (f"model_accurate={ACCURATE}\nthreads=many\n", "internal error in starting the models"),
])
def test_attach_says_what_is_wrong(text, words):
    answer = host.attach(text)
    assert isinstance(answer, str)
    assert words in answer
    assert "\n" not in answer


def test_records_outlive_the_call():
    accurate, *_ = host.attach(f"model_accurate={ACCURATE}\nthreads=1\n")
    record = seam.ProviderRecord.from_address(accurate)
    buffer = ctypes.create_string_buffer(b"x", 10)
    seam.MessageFunction(record.message)(None, ctypes.addressof(buffer), 10)
    assert buffer.value == b""
