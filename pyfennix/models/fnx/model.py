# SPDX-License-Identifier: MIT
"""A model made of a ``.fnx`` module list: static part once per composition, the rest per step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from pyfennix import units
from pyfennix.exceptions import ModelError
from pyfennix.models.fnx.elements import BLOCK_OF, block_of
from pyfennix.models.fnx.library import FAMILIES  # noqa: F401  registers the modules
from pyfennix.models.fnx.modules import Build, FnxModule, State, build_module
from pyfennix.models.fnx.modules_dynamic import EnsembleStat
from pyfennix.models.fnx.modules_static import ChargeHypothesis
from pyfennix.models.fnx.preprocessing import EdgeLists, Preprocessing
from pyfennix.models.fnx.settings import number
from pyfennix.models.fnx.statics import StaticCache, partition, read_keys
from pyfennix.models.graph import Graph
from pyfennix.models.interface import Model
from pyfennix.models.native.library import wanted
from pyfennix.models.raster.module import RasterModule


class FennixModel(Model):
    """Potentials described by a list of modules: RASTER, ANI.

    Parameters
    ----------
    config
        ``cutoff``, ``preprocessing``, ``modules`` (lists of [name, parameters]), ``energy_terms``
        and ``energy_unit``, as in a ``.fnx`` file.
    elements
        Atomic numbers the model is meant for; None means every element of its blocks.
    blocks
        Blocks of elements that have parameters; None means all.
    tables
        Extra arrays by module name (coefficients of ``repulsion_nlh``).
    name
        Used in messages.

    Attributes
    ----------
    fennol_exact
        In float64, follow FeNNol where it rounds to float32 (default), or compute exactly.

    Raises
    ------
    ModelError
        For a module or setting that is not supported.
    """

    fennol_exact: bool = True

    def __init__(self, config: Mapping, elements: Sequence[int] | None = None,
                 blocks: Sequence[str] | None = None, tables: Mapping | None = None,
                 name: str = "fennix") -> None:
        super().__init__()
        self.config, self.name = dict(config), name
        self.cutoff = number(config, "cutoff")
        self.energy_unit = config.get("energy_unit") or "Ha"
        self._energy_in_ev = units.energy_in_kcal(self.energy_unit) / units.EV_IN_KCAL
        self.switches = Preprocessing(self.cutoff, config["preprocessing"])
        self.cutoffs = self.switches.cutoffs
        split = self.switches.split_blocks
        # every block there is, in the division that the file's block indexer asks for
        every = dict.fromkeys(block_of(z, split) for z in BLOCK_OF)
        self.blocks = tuple(every if blocks is None else blocks)
        known = tuple(z for z in BLOCK_OF if block_of(z, split) in self.blocks)
        self.elements = tuple(sorted(known if elements is None else elements))
        build = Build(widths={}, graphs=self.cutoffs, blocks=self.blocks,
                      tables=dict(tables or {}), switches=self.switches.kinds)
        self.parts = nn.ModuleDict()
        for entry, params in config["modules"]:
            if entry in self.parts:
                raise ModelError(f"two modules are called {entry!r}")
            self.parts[entry] = build_module(entry, params, build)
        self.widths, self._build = build.widths, build
        terms = config["energy_terms"]
        self.energy_terms = [terms] if isinstance(terms, str) else list(terms)
        self._live: dict[frozenset[str], tuple[list[FnxModule], frozenset[str]]] = {}
        self._needed, _ = self._modules_for(frozenset(self.energy_terms))
        self._describe()
        self._statics = StaticCache()
        # walking the module tree at every evaluation would cost more than some layers
        self._parameter_places: list[tuple[dict, str]] | None = None

    def _modules_for(self, keys: frozenset[str]) -> tuple[list[FnxModule], frozenset[str]]:
        """The modules these keys depend on, in order, and all keys that they or we read.

        Nothing else is ever evaluated.
        """
        if keys not in self._live:
            needed, live = set(keys), []
            for module in reversed(self.parts.values()):
                if needed & set(module.writes):
                    needed = (needed - set(module.writes)) | set(module.reads)
                    live.append(module)
            if needed:
                raise ModelError(f"{sorted(needed)[0]!r} is written by no module: "
                                 f"there are {', '.join(sorted(self.widths))}")
            self._live[keys] = live[::-1], read_keys(live, keys)
        return self._live[keys]

    @property
    def live_modules(self) -> list[FnxModule]:
        """The modules that energies depend on, in order."""
        return self._needed

    def _describe(self) -> None:
        """Derive ranges, elements and needs from the modules."""
        for term in self.energy_terms:
            if term in self._build.per_system or self.widths[term] != 1:
                raise ModelError(f"energy term {term!r} is not one number per atom")
        self.uses_total_charge = any(isinstance(m, ChargeHypothesis) for m in self._needed)
        self.center_range = 0.0
        self.interaction_range = self.cutoff
        for module in self._needed:
            if module.elements is not None:
                self.elements = tuple(z for z in self.elements if z in module.elements)
            if isinstance(module, RasterModule):
                c = module.config
                # what a center of the last layer reads, then one short step per earlier layer
                reach = max(c.cutoff, c.lode_cutoff if module.lode is not None else 0.0)
                self.interaction_range = max(self.cutoff, reach + (c.nlayers - 1) * c.cutoff)
                self.center_range = reach + (c.nlayers - 2) * c.cutoff if c.nlayers > 1 else 0.0
                self.exchanges_features = c.nlayers > 1
        means = {m.mean: m.source for m in self._needed if isinstance(m, EnsembleStat)}
        self.ensembles = tuple(means[term] for term in self.energy_terms if term in means)
        self.output_names = tuple(sorted(self.widths))
        self.system_outputs = frozenset(self._build.per_system)

    @property
    def exchange(self) -> nn.Module:
        """The hook between layers (see exchange.py); assign to replace it."""
        return self._modules["exchange"]

    def __setattr__(self, name: str, value) -> None:
        # nn.Module keeps a module under its name, whatever setter a property has
        super().__setattr__(name, value)
        if name == "exchange" and "parts" in self._modules:
            for module in self.parts.values():
                if isinstance(module, RasterModule):
                    module.exchange = value

    def _apply(self, fn, recurse: bool = True):
        """Called by ``to``, ``cuda``, ``double``…, which may replace parameters."""
        self._parameter_places, self._statics = None, StaticCache()
        return super()._apply(fn, recurse)

    def forward(self, graph: Graph) -> Tensor:
        """(n_center,) energies in ``energy_unit``."""
        return self._energies(self._run(graph, frozenset(self.energy_terms)))

    def forward_outputs(self, graph: Graph, names: Sequence[str]) -> tuple[Tensor, dict]:
        """Energies, and what the module list calls ``names``.

        In the file's own units, with the axes that FeNNol gives them.
        """
        state = self._run(graph, frozenset((*self.energy_terms, *names)))
        return self._energies(state), {name: self._output(state, name) for name in names}

    def _energies(self, state: State) -> Tensor:
        return sum(state[key].sum(1) for key in self.energy_terms)

    def _output(self, state: State, name: str) -> Tensor:
        value = state[name]
        return value.squeeze(1) if name in self._build.flat else value

    def _current_parameters(self) -> list[nn.Parameter]:
        """All parameters, also those that replaced others since the last evaluation."""
        if self._parameter_places is None:
            self._parameter_places = [
                (module._parameters, name) for module in self.modules()
                for name, parameter in module._parameters.items() if parameter is not None
            ]
        return [parameters[name] for parameters, name in self._parameter_places]

    def _run(self, graph: Graph, keys: frozenset[str]) -> State:
        """The state after every module that the keys depend on."""
        parameters = self._current_parameters()
        modules, read = self._modules_for(keys)
        like = parameters[0] if parameters else graph.vectors
        native = wanted(self.native, graph.vectors, parameters)
        state = State({
            "input": graph,
            "static": self._statics.get(modules, graph.topology.systems, read, parameters, like),
            "partition": partition(graph.topology, self.switches.split_blocks),
            "graphs": EdgeLists(self.switches, graph, native, self.fennol_exact),
            "native": native,
            "energy_in_ev": self._energy_in_ev,
            "wanted": read,
        })
        for module in modules:
            module.run(state)
        return state
