"""The base class of stages, and loading them from the registry: one file each in ``stages/``."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Protocol

from hnintel.enrich.declaration import Enrichment
from hnintel.errors import DeclarationError
from hnintel.settings import Settings
from hnintel.sources.base import Source
from hnintel.warehouse.base import Session, Warehouse

BUNDLED = Path(__file__).resolve().parent / "stages"


class Context(Protocol):
    """The part of the pipeline that a stage can use."""

    @property
    def warehouse(self) -> Warehouse:
        """The warehouse with its rows."""

    @property
    def settings(self) -> Settings:
        """The settings of this run."""

    @property
    def spec(self) -> str:
        """The source, as the user gave it."""

    @property
    def source(self) -> Source:
        """The source that days are read from."""

    @property
    def enrichments(self) -> Mapping[str, Enrichment]:
        """The declared enrichments, by name."""


class Stage(ABC):
    """One step of a day, whose state the ledger records by day.

    ``name`` is its name in the ledger and behind ``--stage``. ``after`` names its direct upstream stages; the
    name of a file that declares several stages (``enrich``) stands for all of them. ``by_source``: whether the ledger
    has a row for each source that the day was read from. ``asks``: whether it asks a model, and so costs money.
    ``runner`` names the entry of ``flows.main.RUNNERS`` that runs it; a stage without a runner defines :meth:`run`,
    and may name the ``table`` that it writes, which has the columns ``day`` and ``run_id``, its description
    (``doc``), and the tables that it is made of (``made_of``), for the lineage.
    """

    name: str
    after: tuple[str, ...] = ()
    by_source: ClassVar[bool] = False
    asks: ClassVar[bool] = False
    runner: ClassVar[str | None] = None
    table: ClassVar[str | None] = None
    doc: ClassVar[str] = ""
    made_of: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def fingerprint(self, context: Context) -> str:
        """Return a hash of the code, question, model and settings that determine its rows."""

    @abstractmethod
    def inputs(self, context: Context, session: Session, days: Sequence[date]) -> Mapping[date, str]:
        """Return a hash of the rows that it reads, by day; a day without rows may be left out.

        Args:
            context: the pipeline.
            session: the transaction.
            days: consecutive, the oldest first; at least one.
        """

    def run(self, context: Context, session: Session, day: date, run_id: str) -> int:
        """Write the rows of *day*, in the transaction that records them in the ledger; return how many."""
        raise DeclarationError(f"stage '{self.name}' has no `run`: its `runner` runs it")


def load_stages(enrichments: Mapping[str, Enrichment], folder: Path | None = None) -> dict[str, Stage]:
    """Load every stage, by name, in the order of their files.

    A file declares ``stage = ...``, or ``stages_of(enrichments)`` for one stage per enrichment. A stage has
    the name of its file, with ``:`` and a word behind it where the file declares several.

    Args:
        enrichments: the declared enrichments, by name.
        folder: of further stages, beside the bundled stages.

    Raises:
        DeclarationError: the folder is missing, or a file cannot be imported or declares no stage.
    """
    if folder is not None and not folder.is_dir():
        raise DeclarationError(f"{folder} is no folder of stages: make it, or correct HNINTEL_STAGES_PATH")
    stages: dict[str, Stage] = {}
    for path in [path for place in (BUNDLED, folder) if place for path in sorted(place.glob("[!_]*.py"))]:
        for stage in _load(path, path.read_bytes()).declared(enrichments):
            if stage.name in stages:
                raise DeclarationError(f"{path.name}: there is a stage '{stage.name}' already: rename the file")
            stages[stage.name] = stage
    return stages


class _File:
    """A file of the registry, imported."""

    def __init__(self, path: Path) -> None:
        self.path = path
        spec = importlib.util.spec_from_file_location(f"hnintel.partitions.stages.{path.stem}", path)
        if spec is None or spec.loader is None:
            raise DeclarationError(f"{path.name} cannot be imported")
        self.module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(self.module)
        except Exception as error:  # any error of the file is reported with its name and first line
            message = (str(error).strip() or "no message").splitlines()[0]
            raise DeclarationError(f"{path.name}: {type(error).__name__}: {message}; correct the file") from error

    def declared(self, enrichments: Mapping[str, Enrichment]) -> list[Stage]:
        """Return its stages.

        Raises:
            DeclarationError: it declares no stage, or a stage named unlike the file, or a stage that nothing can run.
        """
        make = getattr(self.module, "stages_of", None)
        stages = list(make(enrichments)) if callable(make) else [getattr(self.module, "stage", None)]
        for stage in stages:
            if not isinstance(stage, Stage):
                raise DeclarationError(f"{self.path.name} declares no stage: add `stage = ...` (docs/how-to)")
            if stage.name.partition(":")[0] != self.path.stem:
                raise DeclarationError(f"{self.path.name} declares '{stage.name}': name the stage as the file is named")
            if stage.runner is None and type(stage).run is Stage.run:
                raise DeclarationError(f"{self.path.name}: nothing runs '{stage.name}': give it a `run` or a `runner`")
        return [stage for stage in stages if isinstance(stage, Stage)]


@lru_cache(maxsize=64)
def _load(path: Path, _: bytes) -> _File:
    """Import the file once per content, since each task of a run loads it."""
    return _File(path)
