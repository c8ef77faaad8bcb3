"""The test ground for a rollback: a database with everything in it, and a deploy that fails.

`everything.sql` is what the owner makes; here is what others make for it, and the failed deploy.
"""

import os
import subprocess
from pathlib import Path

from sandbox.postgres import Postgres, identifier

OWNERS_PART = Path(__file__).with_suffix(".sql")
GROUPS = ("storekeepers", "night shift")  # the owner is a member of them
OTHERS = ("reader", 'Prüfer "x"')  # they are granted something
PUBLIC_BELONGS_TO_THE_OWNER = 15  # from this major version on


def create_everything(
    pg: Postgres,
    database: str,
    owner: str,
    *,
    foreign_extension: bool = True,
    inheritance: bool = False,
) -> None:
    """Fill an empty database of that owner.

    `foreign_extension` adds what a superuser has installed and the owner uses. `inheritance` adds
    the one thing that pg_dump does not bring back as it was: the order of an heir's columns.
    """
    pg.superuser(_roles(pg, database, owner))
    pg.superuser(_PUBLIC, database)
    pg.run_as(owner, OWNERS_PART.read_text(encoding="utf-8"), database)
    if foreign_extension:
        pg.superuser(_FOREIGN_EXTENSIONS.format(owner=identifier(owner)), database)
        pg.run_as(owner, _USES_FOREIGN_EXTENSIONS, database)
    if inheritance:
        pg.run_as(owner, _HEIRS, database)


def fail_a_deploy(pg: Postgres, database: str, owner: str, *, drop_public: bool = False) -> None:
    """Run half a destructive migration as the owner.

    `drop_public` drops the schema `public` itself, where the owner may (from version 15 on), and
    with it a superuser's extensions: there is a way back only without `foreign_extension`.
    """
    pg.run_as(owner, _DEPLOY, database)
    if pg.major >= PUBLIC_BELONGS_TO_THE_OWNER:
        pg.run_as(owner, "DROP SCHEMA public CASCADE;" if drop_public else _CHANGE_PUBLIC, database)


def plain_dump(pg: Postgres, database: str) -> str:
    """Return schema and data as pg_dump's SQL, without the random key of its \\restrict lines."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    environment["LC_ALL"] = "C"
    options = ["--host", str(pg.data_dir.parent), "--port", str(pg.port), "--username", "postgres"]
    dump = subprocess.run(
        [pg.bin_dir / "pg_dump", "--no-password", "--encoding=UTF8", *options, database],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    lines = dump.decode("utf-8").split("\n")
    return "\n".join(line for line in lines if not line.startswith(("\\restrict", "\\unrestrict")))


def _roles(pg: Postgres, database: str, owner: str) -> str:
    """Roles belong to the server: another database may have made them already."""
    there = pg.superuser("SELECT rolname FROM pg_roles").splitlines()
    missing = [role for role in (*GROUPS, *OTHERS) if role not in there]
    groups = ", ".join(map(identifier, GROUPS))
    return (
        "SET client_min_messages = warning;\n"
        + "".join(f"CREATE ROLE {identifier(role)};\n" for role in missing)
        + f"GRANT {groups} TO {identifier(owner)};\n"
        + f"GRANT CREATE ON DATABASE {identifier(database)} TO {groups};\n"
    )


# Through a superuser, since before version 15 the owner of the database has no say in it.
_PUBLIC = r"""
GRANT CREATE, USAGE ON SCHEMA public TO storekeepers;
GRANT USAGE ON SCHEMA public TO reader;
COMMENT ON SCHEMA public IS E'what is here\nCOMMIT;\n\\.';
"""

_FOREIGN_EXTENSIONS = """
CREATE EXTENSION pg_trgm;
CREATE EXTENSION file_fdw;
CREATE FOREIGN DATA WRAPPER wrapper;
COMMENT ON EXTENSION pg_trgm IS 'of the superuser';
GRANT USAGE ON FOREIGN DATA WRAPPER file_fdw, wrapper TO {owner};
CREATE SERVER theirs FOREIGN DATA WRAPPER wrapper;
GRANT USAGE ON FOREIGN SERVER theirs TO {owner};
"""

_USES_FOREIGN_EXTENSIONS = """
CREATE SCHEMA likeness;
CREATE TABLE likeness.words (id integer PRIMARY KEY, word text);
INSERT INTO likeness.words VALUES (1, 'alike'), (2, E'a\\nlike');
CREATE INDEX alike ON likeness.words USING gin (word gin_trgm_ops);
CREATE FUNCTION likeness.of(a text, b text) RETURNS real LANGUAGE sql
    RETURN similarity(a, b);
CREATE VIEW likeness.pairs AS
    SELECT a.id AS a, b.id AS b FROM likeness.words a JOIN likeness.words b ON a.word % b.word;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER wrapper OPTIONS (host 'elsewhere', port '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER elsewhere OPTIONS (user 'x', password 'not a secret');
CREATE USER MAPPING FOR CURRENT_USER SERVER theirs OPTIONS (user 'y');
CREATE FOREIGN TABLE likeness.far (id integer, t text OPTIONS (column_name 'T')) SERVER elsewhere;
COMMENT ON SERVER elsewhere IS 'far away';
GRANT USAGE ON FOREIGN SERVER elsewhere TO reader;
"""

_HEIRS = """
CREATE SCHEMA heirs;
CREATE TABLE heirs.parent (a integer);
CREATE TABLE heirs.child (own text) INHERITS (heirs.parent);
ALTER TABLE heirs.parent ADD COLUMN late integer;
INSERT INTO heirs.child (a, own, late) VALUES (1, 'own', 2);
"""

_DEPLOY = r"""
SET client_min_messages = warning;

-- takes away
DROP TABLE shop.refunds, shop.typed, shop."EXTENSION - x postgres";
DROP SCHEMA parts CASCADE;
DROP SCHEMA "Läden & ""Co."" \1" CASCADE;
DROP TABLE public.plain;
ALTER TABLE shop.customers DROP COLUMN email CASCADE, DROP COLUMN name CASCADE;
DROP PROCEDURE shop.pay;
DROP TYPE shop.span CASCADE;
DROP EXTENSION hstore CASCADE;
DROP PUBLICATION nothing;
DROP SEQUENCE shop.around;
DROP OPERATOR shop.=== (shop.address, shop.address);
DROP MATERIALIZED VIEW shop.sums CASCADE;
DROP POLICY own ON shop.secrets;

-- adds
CREATE SCHEMA "new things";
CREATE TABLE "new things".t (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t text);
INSERT INTO "new things".t (t) SELECT 'new' FROM generate_series(1, 50);
CREATE TABLE public.brand_new (id integer PRIMARY KEY, customer bigint REFERENCES shop.customers);
CREATE TABLE public.plain (id text, something jsonb, other integer REFERENCES public.brand_new);
CREATE VIEW public.on_an_old_table AS SELECT id, at FROM shop.orders;
CREATE MATERIALIZED VIEW public.kept AS SELECT * FROM public.on_an_old_table;
CREATE TYPE shop.state AS ENUM ('on', 'off');
CREATE DOMAIN public.small AS integer CHECK (value < 10);
CREATE FUNCTION shop.brand_new() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE OR REPLACE FUNCTION shop.double(n integer DEFAULT 2) RETURNS integer
    LANGUAGE sql IMMUTABLE AS 'SELECT n * 3';
CREATE EXTENSION ltree;
CREATE TABLE shop.tree (path ltree);
CREATE PUBLICATION new_things FOR TABLE shop.empty;
CREATE TEXT SEARCH CONFIGURATION shop.other (copy = pg_catalog.english);
CREATE STATISTICS shop.new_ones ON id, lines FROM shop.orders;
CREATE SEQUENCE public.fresh;
SELECT lo_from_bytea(0, 'made by the deploy');
SELECT lo_unlink(oid) FROM pg_largeobject_metadata
    WHERE lomowner = (SELECT oid FROM pg_roles WHERE rolname = 'storekeepers');
SELECT lo_put(picture, 0, 'overwritten') FROM shop.customers WHERE picture IS NOT NULL;

-- changes
ALTER TABLE shop.orders DROP CONSTRAINT lines_are_positive;
ALTER TABLE shop.orders ALTER COLUMN lines TYPE numeric, ALTER COLUMN at SET DEFAULT now();
ALTER TABLE shop.orders ADD COLUMN state shop.state DEFAULT 'on';
ALTER TABLE shop.orders ENABLE TRIGGER USER;
ALTER TABLE shop.cache SET LOGGED;
ALTER TABLE shop.animal ADD COLUMN late integer;
ALTER TABLE shop.egg RENAME TO omelette;
ALTER TABLE shop.chicken SET SCHEMA "new things";
ALTER TYPE shop.mood ADD VALUE 'angry';
ALTER DOMAIN shop.price DROP CONSTRAINT not_negative;
ALTER SEQUENCE shop.orders_id_seq RESTART WITH 5 INCREMENT BY 2;
SELECT setval('shop.huge', 1);
UPDATE shop.customers SET balance = balance + 1, mood = 'sad';
DELETE FROM shop.secrets WHERE id > 1;
TRUNCATE shop.cache, shop.wishes;
COMMENT ON TABLE shop.customers IS 'another comment';
COMMENT ON SCHEMA shop IS NULL;
REVOKE ALL ON shop.customers FROM storekeepers CASCADE;
GRANT ALL ON ALL TABLES IN SCHEMA shop TO PUBLIC;
GRANT SELECT ON shop.orders TO reader WITH GRANT OPTION;
GRANT USAGE ON SCHEMA "new things" TO reader;
REVOKE CREATE ON SCHEMA shop FROM storekeepers;
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA shop REVOKE SELECT ON TABLES FROM reader;
ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE storekeepers GRANT ALL ON TABLES TO reader;
DROP SCHEMA IF EXISTS likeness CASCADE;
DROP SERVER IF EXISTS elsewhere CASCADE;
DROP USER MAPPING IF EXISTS FOR CURRENT_USER SERVER theirs;

-- touches what groups own
SET ROLE storekeepers;
ALTER TABLE stock.items DROP COLUMN kind CASCADE, ADD COLUMN weight numeric DEFAULT 1;
DROP MATERIALIZED VIEW stock.counted;
CREATE TABLE stock.more (id integer);
CREATE SCHEMA warehouse;
DROP TABLE shop.shelves;
UPDATE public.theirs SET t = 'changed';
SET ROLE "night shift";
DROP SCHEMA "night shift" CASCADE;
RESET ROLE;
CREATE SCHEMA "night shift";
ALTER SCHEMA stock OWNER TO "night shift";
"""

_CHANGE_PUBLIC = """
REVOKE ALL ON SCHEMA public FROM storekeepers, reader, PUBLIC;
GRANT ALL ON SCHEMA public TO "night shift";
COMMENT ON SCHEMA public IS 'changed';
"""
