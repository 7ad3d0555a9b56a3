"""What grew with the corpus beside what may (DESIGN, section 8): a table for each database, a column for each size.

How it is measured is in ``growth.py``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.processes import Private
from benchmarks.report import MEMORY_MB, Figures, all_searches


@dataclass(frozen=True)
class Import:
    """Articles published in one transaction: how many, the CPU time and the time of that, the CPU to make their text.

    The CPU time is that of the importing process and of the database's own.
    """

    articles: int
    cpu_ns: int
    wall_ns: int
    making_ns: int


@dataclass(frozen=True)
class Stage:
    """A database at one size: what its last articles cost, what reading it cost, what it takes of disk and memory."""

    articles: int
    imports: Sequence[Import]
    reads: Sequence[Figures]
    disk_bytes: int
    private: Private
    index_times_texts: float


@dataclass(frozen=True)
class Budget:
    """How much a quantity may grow from the smallest size to the largest, or what it may be at any size."""

    most_times: float | None = None
    least_times: float | None = None
    most: float | None = None

    @property
    def text(self) -> str:
        """The budget as the table shows it; empty where there is none."""
        said = {"≤ {:g} ×": self.most_times, "≥ {:g} ×": self.least_times, "≤ {:g} at any size": self.most}
        return ", ".join(form.format(limit) for form, limit in said.items() if limit is not None)


@dataclass(frozen=True)
class Row:
    """One quantity at each size; ``unit`` says what it is counted in."""

    name: str
    unit: str
    values: Sequence[float]
    form: str = "{:,.2f}"
    budget: Budget = Budget()

    @property
    def growth(self) -> float:
        """The value at the largest size by that at the smallest."""
        return self.values[-1] / self.values[0]

    @property
    def missed(self) -> str:
        """What is not as the budget says; empty where it is kept, or where there is none."""
        budget, most = self.budget, max(self.values)
        if budget.most is not None and most > budget.most:
            return f"{self.form.format(most)} {self.unit}, budget {budget.text}"
        over = budget.most_times is not None and self.growth > budget.most_times
        under = budget.least_times is not None and self.growth < budget.least_times
        return f"{self.growth:.2f} × from smallest to largest, budget {budget.text}" if over or under else ""


HOT = Budget(most_times=1.3)
KEYSET = Budget(most_times=1.1)
READS = {
    "GET article by slug": HOT,
    "GET page 1": HOT,
    "GET article, 304": HOT,
    "list, first 20": HOT,
    "list, deep page of 20": KEYSET,
}
IMPORT = Budget(least_times=0.8)
MEMORY = Budget(most=MEMORY_MB)
SMALLEST, LARGEST = 1_000, 100_000
"""The sizes between which DESIGN, section 8, says the factors."""


def rows(stages: Sequence[Stage]) -> Iterator[Row]:
    """Everything that was measured, by size. Only quotients of what was measured side by side have a factor to keep."""
    for reads in zip(*([*stage.reads, all_searches(stage.reads)] for stage in stages), strict=True):
        if reads[0].ratio is None:  # a search, which bare cannot do
            yield Row(reads[0].name, "p50 ms", [read.p50_ms for read in reads])
            yield Row("", "p95 ms", [read.p95_ms for read in reads])
            continue
        yield Row(reads[0].name, "× bare", [read.whole_ratio for read in reads], budget=READS[reads[0].name])
        yield Row("", "CPU µs", [read.cpu_us for read in reads], "{:,.0f}")
        if any(read.database_us for read in reads):
            yield Row("", "DB CPU µs", [read.database_us for read in reads], "{:,.0f}")
        yield Row("", "p50 ms", [read.p50_ms for read in reads])
        yield Row("", "p99 ms", [read.p99_ms for read in reads])
    imports = [stage.imports for stage in stages]
    made = [median(each.making_ns / each.cpu_ns for each in some) * 100 for some in imports]
    yield Row("import", "per 100 made", made, "{:.1f}", IMPORT)
    per_cpu_second = [median(each.articles / each.cpu_ns for each in some) * 1e9 for some in imports]
    yield Row("", "per CPU s", per_cpu_second, "{:.1f}")
    yield Row("", "per s", [median(each.articles / each.wall_ns for each in some) * 1e9 for some in imports], "{:.1f}")
    yield Row("memory of the worker", "MB", [stage.private.all / 1e6 for stage in stages], "{:.1f}", MEMORY)
    yield Row("", "MB of files", [stage.private.clean / 1e6 for stage in stages], "{:.1f}")
    yield Row("search index", "× its texts", [stage.index_times_texts for stage in stages])
    yield Row("disk an article", "KB", [stage.disk_bytes / stage.articles / 1e3 for stage in stages], "{:.1f}")


def lines(database: str, stages: Sequence[Stage]) -> Iterator[str]:
    """The table of one database, then every budget that was missed."""
    form = "{:<24} {:<12}" + " {:>9}" * len(stages) + " {:>8}  {}"
    yield form.format(database, "", *(f"{stage.articles:,}" for stage in stages), "growth", "budget")
    missed = []
    for row in rows(stages):
        if row.missed:
            missed.append(f"MISSED  {row.name}: {row.missed}")
        growth = f"{row.growth:.2f} ×" if row.name else ""
        verdict = "" if not row.budget.text else "  MISSED" if row.missed else "  kept"
        cells = (row.form.format(value) for value in row.values)
        yield form.format(row.name, row.unit, *cells, growth, row.budget.text + verdict).rstrip()
    yield from missed or ["Every budget above is kept."]
    if (stages[0].articles, stages[-1].articles) != (SMALLEST, LARGEST):
        yield f"The budgets of growth are said for {SMALLEST:,} -> {LARGEST:,} articles: read them with care here."
    if stages[0].articles < SMALLEST:
        yield "So few articles fit into what Kiku keeps in memory: reads must seem to grow from there."
