"""The figures of a run beside the budgets of DESIGN, section 8, as a table for each database.

How they are measured is in ``rounds.py``; what may grow with the corpus is in ``factors.py``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from benchmarks import searches
from benchmarks.processes import Private


@dataclass(frozen=True)
class Batch:
    """One work done some times in a row: CPU of the server and of its database a step, and each step's time."""

    cpu_us: float
    database_us: float
    wall_ms: Sequence[float]


@dataclass(frozen=True)
class Figures:
    """All batches of one work on one server, and bare's between them, in the same rounds."""

    name: str
    kiku: Sequence[Batch]
    bare: Sequence[Batch]

    @property
    def cpu_us(self) -> float:
        """The median over the rounds, a step."""
        return median(batch.cpu_us for batch in self.kiku)

    @property
    def database_us(self) -> float:
        """The same of the database's processes; 0 where it has none of its own."""
        return median(batch.database_us for batch in self.kiku)

    @property
    def bare_us(self) -> float | None:
        """Bare's; None where bare cannot do this."""
        return median(batch.cpu_us for batch in self.bare) if self.bare else None

    @property
    def ratio(self) -> float | None:
        """Kiku's CPU time in a round to bare's in the same round, the median of the rounds."""
        if not self.bare:
            return None
        return median(kiku.cpu_us / bare.cpu_us for kiku, bare in zip(self.kiku, self.bare, strict=True))

    @property
    def whole_ratio(self) -> float:
        """The same with what the database's processes used on Kiku's side: all that a read costs."""
        rounds = zip(self.kiku, self.bare, strict=True)
        return median((kiku.cpu_us + kiku.database_us) / bare.cpu_us for kiku, bare in rounds)

    @property
    def p50_ms(self) -> float:
        """The median of all steps of all rounds."""
        return median(self._wall_ms)

    @property
    def p95_ms(self) -> float:
        """The time that 95 of 100 steps of all rounds kept to."""
        return quantiles(self._wall_ms, n=20, method="inclusive")[18]

    @property
    def p99_ms(self) -> float:
        """The time that 99 of 100 steps of all rounds kept to."""
        return quantiles(self._wall_ms, n=100, method="inclusive")[98]

    @property
    def _wall_ms(self) -> list[float]:
        return [ms for batch in self.kiku for ms in batch.wall_ms]


@dataclass(frozen=True)
class Budget:
    """What a work may cost; ``beyond`` names the work whose CPU time is taken off first."""

    times_bare: float | None = None
    never_times_bare: float | None = None
    cpu_ms: float | None = None
    p50_ms: float | None = None
    beyond: str | None = None

    @property
    def text(self) -> str:
        """The budget as the table shows it."""
        said = {
            "≤ {:g} × bare": self.times_bare,
            "never > {:g} ×": self.never_times_bare,
            "CPU ≤ {:g} ms" + (" over 428" if self.beyond else ""): self.cpu_ms,
            "p50 ≤ {:g} ms": self.p50_ms,
        }
        return ", ".join(form.format(limit) for form, limit in said.items() if limit is not None)

    def missed(self, figures: Figures, framework_us: float) -> Iterator[str]:
        """A sentence for each limit that is not kept."""
        cpu_ms = (figures.cpu_us - (framework_us if self.beyond else 0)) / 1000
        measured = (
            (figures.ratio, self.times_bare, "{:.2f} × bare, budget {:g} ×"),
            (figures.ratio, self.never_times_bare, "{:.2f} × bare, never to be more than {:g} ×"),
            (
                cpu_ms,
                self.cpu_ms,
                "{:.1f} ms CPU" + (" over the framework" if self.beyond else "") + ", budget {:g} ms",
            ),
            (figures.p50_ms, self.p50_ms, "p50 {:.1f} ms, budget {:g} ms"),
        )
        for value, limit, form in measured:
            if value is not None and limit is not None and value > limit:
                yield form.format(value, limit)


FRAMEWORK = "save refused, 428"
MEMORY_MB = 80
"""The most private memory a worker may have."""
_TOGETHER = "search, all of these"
"""All searches as one work, as many of each kind: DESIGN says one figure, and not for which."""
_SEARCHES = dict.fromkeys((*searches.KINDS, searches.SUGGESTIONS, _TOGETHER), Budget(p50_ms=5))
"""Said for so many articles as ``SEARCHED``; each kind, parts and suggestions are held to the same."""
SEARCHED = 13_000
BUDGETS: dict[str, dict[str, Budget]] = {
    "sqlite": {
        "GET article by slug": Budget(times_bare=1.5, never_times_bare=3.5),
        "GET page 1": Budget(times_bare=1.5, never_times_bare=3.5),
        "GET article, 304": Budget(times_bare=1.5),
        "list, first 20": Budget(times_bare=2),
        "list, deep page of 20": Budget(times_bare=3),
        "create + publish": Budget(cpu_ms=20, p50_ms=25),
        "save of 85 rows": Budget(cpu_ms=4, beyond=FRAMEWORK),
        **_SEARCHES,
    },
    "postgresql": {"GET article by slug": Budget(times_bare=6), "GET page 1": Budget(times_bare=6), **_SEARCHES},
}
"""DESIGN, section 8: what a budget names no database for is said for SQLite. A page is held to an article's."""
_ROW = "{:<24} {:>9} {:>7} {:>7} {:>8} {:>8} {:>8} {:>9}  {}"


def all_searches(measured: Sequence[Figures]) -> Figures:
    """The searches among these as one work."""
    return Figures(_TOGETHER, [each for some in measured if some.name in searches.KINDS for each in some.kiku], ())


def lines(database: str, measured: Sequence[Figures], private_bytes: Mapping[str, Private]) -> Iterator[str]:
    """The table of one database, then every budget that was missed.

    ``private_bytes``: the memory of a worker by when it was taken.
    """
    framework_us = next(figures.cpu_us for figures in measured if figures.name == FRAMEWORK)
    yield _ROW.format(database, "CPU µs", "bare", "ratio", "p50 ms", "p95 ms", "p99 ms", "DB CPU µs", "budget")
    missed = []
    for figures in (*measured, all_searches(measured)):
        budget = BUDGETS[database].get(figures.name, Budget())
        faults = list(budget.missed(figures, framework_us))
        missed += [f"MISSED  {figures.name}: {fault}" for fault in faults]
        ratio = "" if figures.ratio is None else f"{figures.ratio:.2f}"
        bare = "" if figures.bare_us is None else f"{figures.bare_us:.0f}"
        database_us = f"{figures.database_us:.0f}" if database == "postgresql" else ""
        times = (f"{taken:.2f}" for taken in (figures.p50_ms, figures.p95_ms, figures.p99_ms))
        cells = (f"{figures.cpu_us:.0f}", bare, ratio, *times, database_us)
        verdict = "" if not budget.text else "  MISSED" if faults else "  kept"
        yield _ROW.format(figures.name, *cells, budget.text + verdict).rstrip()
    said = ", ".join(
        f"{taken.all / 1e6:.1f} MB {when} ({taken.clean / 1e6:.1f} of files)" for when, taken in private_bytes.items()
    )
    most = max(taken.all for taken in private_bytes.values())
    over = most > MEMORY_MB * 1e6
    yield f"private memory of the worker: {said}; budget ≤ {MEMORY_MB} MB  {'MISSED' if over else 'kept'}"
    if over:
        missed.append(f"MISSED  memory: {most / 1e6:.1f} MB, budget {MEMORY_MB} MB")
    yield from missed or ["Every budget above is kept."]
