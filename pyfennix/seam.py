# SPDX-License-Identifier: MIT
"""The C structs of the force seam, as ctypes; the mirror of fortran/force/seam.f90."""

import ctypes as c

VERSION = 2
WANT_ENERGY, WANT_FORCES, WANT_VIRIAL = 1, 2, 4
CONSERVATIVE, USES_CHARGE, EXCHANGES, NO_VIRIAL = 1, 2, 4, 8
MAX_NUMBER = 118
LABEL_SIZE = 256
FRAME_VELOCITY, FRAME_FORCE, FRAME_BOX, FRAME_DIFFERENCE = 1, 2, 4, 8  # frame_header.contents
KEEP_ALL = -2  # frame_header.keep_frames
FORWARD, BACKWARD = 0, 1  # directions of an exchange of features
DOUBLE, FLOAT = 0, 1  # kinds of numbers in it


class ForceRequest(c.Structure):
    """One evaluation: what a provider is given; arrays belong to the engine and are read-only."""

    _fields_ = (
        ("version", c.c_int32),
        ("level", c.c_int32),
        ("inner_step", c.c_int64),
        ("wanted", c.c_int32),
        ("n_local", c.c_int32),
        ("n_center", c.c_int32),
        ("n_total", c.c_int32),
        ("periodic", c.c_int32 * 3),
        ("n_global", c.c_int64),
        ("total_charge", c.c_double),
        ("cutoff", c.c_double),
        ("skin", c.c_double),
        ("list_version", c.c_int64),
        ("n_edges", c.c_int64),
        ("number", c.c_void_p),  # int32 (n_total)
        ("id", c.c_void_p),  # int32 (n_total)
        ("position", c.c_void_p),  # double (n_total, 3), Å
        ("cell", c.c_double * 9),  # rows are lattice vectors, Å
        ("composition", c.c_void_p),  # int64 (119)
        ("first", c.c_void_p),  # int32 (n_center + 1)
        ("neighbor", c.c_void_p),  # int32 (n_edges)
        ("shift", c.c_void_p),  # int32 (n_edges, 3)
        ("exchange", c.c_void_p),  # ExchangeFunction, null when features are not exchanged
        ("exchange_context", c.c_void_p),
    )


class ForceResult(c.Structure):
    """What a provider returns, kcal/mol and Å; arrays belong to the engine."""

    _fields_ = (
        ("version", c.c_int32),
        ("energy", c.c_double),
        ("virial", c.c_double * 9),  # +dE/dstrain
        ("forces", c.c_void_p),  # double (n_total, 3)
        ("atom_energy", c.c_void_p),  # double (n_local), or null
        ("spread", c.c_void_p),
    )


class ProviderRecord(c.Structure):
    """A provider as it is handed over, once."""

    _fields_ = (
        ("version", c.c_int32),
        ("traits", c.c_int32),
        ("force", c.c_void_p),
        ("message", c.c_void_p),
        ("context", c.c_void_p),
        ("cutoff", c.c_double),
        ("range", c.c_double),
        ("element", c.c_int32 * (MAX_NUMBER + 1)),
        ("label", c.c_char * LABEL_SIZE),
        ("center_range", c.c_double),  # how far outside a domain ghosts need listed neighbours, Å
    )


class FrameRecord(c.Structure):
    """One frame, in global order; null pointers stand for arrays that are not wanted."""

    _fields_ = (
        ("version", c.c_int32),
        ("n_atoms", c.c_int32),
        ("periodic", c.c_int32),
        ("n_observables", c.c_int32),
        ("step", c.c_int64),
        ("time", c.c_double),  # ps
        ("cell", c.c_double * 9),  # rows are lattice vectors, Å
        ("position", c.c_void_p),  # double (n, 3), wrapped, Å
        ("image", c.c_void_p),  # int32 (n, 3): position + image @ cell is unwrapped
        ("velocity", c.c_void_p),  # double (n, 3), Å/ps
        ("force", c.c_void_p),  # double (n, 3), kcal/mol/Å
        ("observable", c.c_void_p),  # double (n_observables)
        ("difference", c.c_void_p),  # double (n, 3), accurate minus fast, kcal/mol/Å
    )


class FrameHeader(c.Structure):
    """What a consumer of frames is told once, before the first frame."""

    _fields_ = (
        ("version", c.c_int32),
        ("n_atoms", c.c_int32),
        ("n_bonds", c.c_int32),
        ("n_observables", c.c_int32),
        ("keep_frames", c.c_int64),  # in: -1 new file, KEEP_ALL, or how many; out: how many
        ("number", c.c_void_p),  # int32 (n)
        ("mass", c.c_void_p),  # double (n), g/mol
        ("bond", c.c_void_p),  # int32 (n_bonds, 2), zero-based
        ("observables", c.c_void_p),  # zero-terminated "name=unit" lines
        ("contents", c.c_int32),  # sum of FRAME_VELOCITY, FRAME_FORCE, FRAME_BOX
        ("reserved", c.c_int32),
        ("dropped", c.c_int64),  # out: complete frames that were cut off
        ("start_step", c.c_int64),  # KEEP_ALL cuts off frames beyond it, -1 none
    )


class FrameSinkRecord(c.Structure):
    """A consumer of frames as it is handed over."""

    _fields_ = (
        ("version", c.c_int32),
        ("reserved", c.c_int32),
        ("open", c.c_void_p),
        ("write", c.c_void_p),
        ("close", c.c_void_p),
        ("message", c.c_void_p),
        ("context", c.c_void_p),
        ("summary", c.c_void_p),
    )


class SummaryRecord(c.Structure):
    """Difference forces of all atoms and outer steps so far, kcal/mol/Å."""

    _fields_ = (
        ("version", c.c_int32),
        ("n_bins", c.c_int32),  # the open one at the end included
        ("n_steps", c.c_int64),
        ("first_step", c.c_int64),
        ("last_step", c.c_int64),
        ("n_above", c.c_int64),  # steps with an atom above the threshold
        ("largest_step", c.c_int64),
        ("largest_atom", c.c_int64),  # one-based
        ("largest", c.c_double),
        ("threshold", c.c_double),
        ("bin_width", c.c_double),
        ("counts", c.c_void_p),  # int64 (n_bins)
    )


STRUCTS = (
    ForceRequest, ForceResult, ProviderRecord, FrameRecord, FrameHeader, FrameSinkRecord,
    SummaryRecord,
)

# ctypes takes the interpreter lock on entry, whichever host started Python.
ForceFunction = c.CFUNCTYPE(c.c_int, c.c_void_p, c.POINTER(ForceRequest), c.POINTER(ForceResult))
MessageFunction = c.CFUNCTYPE(None, c.c_void_p, c.c_void_p, c.c_int)
# Calls from Python into the engine, which release the interpreter lock while ranks wait
ExchangeFunction = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_int, c.c_int, c.c_int, c.c_void_p)
FrameFunction = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_void_p)


def layout() -> list[int]:
    """Size and offset of the last member of every struct, to be compared with Fortran's."""
    numbers = []
    for struct in STRUCTS:
        last = struct._fields_[-1][0]
        numbers += [c.sizeof(struct), getattr(struct, last).offset]
    return numbers


def pointer(function: c._CFuncPtr) -> int:
    """Address of a ctypes callback, to be put into a record."""
    return c.cast(function, c.c_void_p).value or 0
