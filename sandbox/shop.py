"""A price-comparison shop to back up, of any size."""

from pathlib import Path

from .postgres import Postgres, literal

# Rows of price_history, with pg_database_size on PostgreSQL 15 and 17 and the time to fill.
DEMO_ROWS = 20_000  # 11 MB, 0.2 s
SMALL_ROWS = 80_000  # 20 MB, 0.5 s
LARGE_ROWS = 7_000_000  # 1.02 GB, 30 s on 2 cores


def fill(pg: Postgres, *, database: str, owner: str, rows: int) -> None:
    """Create the shop in an empty database, with `rows` price observations."""
    shop = Path(__file__).with_name("shop.sql").read_text(encoding="utf-8")
    pg.run_as(owner, f"\\set rows {int(rows)}\n{shop}", database)


def size_bytes(pg: Postgres, database: str) -> int:
    return int(pg.superuser(f"SELECT pg_database_size({literal(database)})"))
