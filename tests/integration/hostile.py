"""A database whose every name and text is hostile: to psql, to SQL, to lists and to scripts.

Each kind of object has a text of its own: sample number k gives the kind number i the text number
i + k. So as many samples as there are texts try each text in each kind.
"""

from itertools import count

from sandbox.postgres import identifier, literal

# What runs leaves this file in the home of the account: a name has room for 63 bytes.
MARK = "m"
_RUN = f"\\! >~/{MARK}"
TEXTS = (
    "plain",
    "a\nb",
    "a\r\nb\tc\x01\x1b[2J\x7f\x08",
    "q\"u'o`te\\",
    '";CREATE TABLE public.mark();--',
    "';CREATE TABLE public.mark();--",
    f"x\n{_RUN}\n",
    f"{_RUN} #",
    f'x"\n{_RUN}\n"',
    f"x'\n{_RUN}\n'",
    f"$$\n{_RUN}\n$_$ $a$",
    f"\n\\restrict abc\n{_RUN}\n",
    f"\n\\unrestrict abc\n{_RUN}\n",
    "\n\\echo 0123456789abcdef0123456789abcdef\n",
    "\n\\q\n",
    "\n\\connect postgres\n\\i x\n\\copy t from x\n",
    "\nSET lock_timeout = 0;\nSET transaction_timeout = 0;\n",
    "\nBEGIN;\nCOMMIT;\nROLLBACK;\n",
    "\nSET SESSION AUTHORIZATION postgres;\n",
    "\nRESET SESSION AUTHORIZATION;\nRESET ROLE;\n",
    "\nREFRESH MATERIALIZED VIEW a;\n",
    "\n-- x\n--\n/* y */ /* z",
    "\n--\n-- TOC entry 9 (class 1259 OID 1)\n--\nSELECT 1;\n",
    "\n--\n-- Name: x; Type: TABLE; Schema: y; Owner: z\n--\n",
    "\n--\n-- PostgreSQL database dump complete\n--\n\n",
    "\n; 1259 1 TABLE public t o\n1; 1259 1 TABLE public t o\n",
    "\nCOPY public.t FROM stdin;\n1\n\\.\n",
    "t FROM stdin;\n1\n\\.\nSELECT 1;\n",
    "\nALTER TABLE public.t OWNER TO postgres;\n",
    "\n)\nINHERITS (public.t);\n",
    "x TO y USING (true) WITH CHECK (true);",
    "\nrows=9 public.t\ncontent=rows:9:9 public.t\nrole=x",
    "DATA t",
    "- SCHEMA x",
    "ACL",
    "EXTENSION - plpgsql ",
    ":run_dir :'x' :\"VERSION\" ${HOME} $(id) `id` %s %I %1$s",
    "\\n\\s\\\\ \\. \\N | & \\& \\1",
    " in front and behind ",
    "ü漢🙂\u202e\u2028\u0301",
    "é" * 31 + "x",
    "SET ROLE x;",
)


class Names:
    """One text for each kind, by the number of the kind."""

    def __init__(self, sample: int) -> None:
        self._numbers = count(sample)
        self._taken = set[str]()

    def text(self) -> str:
        return TEXTS[next(self._numbers) % len(TEXTS)]

    def short(self) -> str:
        """What the database would cut off is not in it; a name that is taken gets a number."""
        number = next(self._numbers)
        name = cut(TEXTS[number % len(TEXTS)])
        if name in self._taken:
            name = f"{cut(name, 60)}{number}"
        self._taken.add(name)
        return name

    def __call__(self) -> str:
        return identifier(self.short())

    def option(self) -> str:
        """With its value; PostgreSQL takes no name of an option that holds an equals sign."""
        return f"{identifier(self.short().replace('=', ''))} {self.literal()}"

    def literal(self) -> str:
        return literal(self.text())


def cut(text: str, most_bytes: int = 63) -> str:
    return text.encode()[:most_bytes].decode(errors="ignore")


def role(sample: int) -> str:
    """A role belongs to the server, on which samples meet."""
    return f"{cut(TEXTS[sample % len(TEXTS)], 58)}r{sample}"


def owners(sample: int) -> str:
    """SQL for the owner, who is a member of `role(sample)`; a role `guest` is there, too."""
    new, group = Names(sample), identifier(role(sample))
    schema, table, column, view, function = (new() for _ in range(5))
    label, policy, constraint, first, sequence = (new.short() for _ in range(5))
    t, v, f = f"{schema}.{table}", f"{schema}.{view}", f"{schema}.{function}"
    return f"""
SET client_min_messages = warning;
SET check_function_bodies = off;
CREATE SCHEMA {schema};
COMMENT ON SCHEMA {schema} IS {new.literal()};
CREATE SCHEMA types;
CREATE TYPE types.mood AS ENUM ({literal(label)}, {literal(new.short())});
COMMENT ON TYPE types.mood IS {new.literal()};
CREATE TYPE types.{new()} AS ENUM ('other');
CREATE DOMAIN types.kept AS text DEFAULT {new.literal()}
    CONSTRAINT {new()} CHECK (VALUE <> {new.literal()});
CREATE DOMAIN types.{new()} AS text;
CREATE TYPE types.{new()} AS ({new()} int, {new()} text);
CREATE TYPE types.{new()} AS RANGE (subtype = int4, multirange_type_name = types.{new()});
CREATE COLLATION types.{new()} (provider = libc, locale = 'C');
CREATE FUNCTION {f}({new()} text DEFAULT {new.literal()}) RETURNS text IMMUTABLE LANGUAGE sql
    SET application_name = {new.literal()} AS {literal("SELECT " + new.literal() + " || $1")};
COMMENT ON FUNCTION {f}(text) IS {new.literal()};
CREATE FUNCTION public.{new()}() RETURNS trigger LANGUAGE plpgsql
    AS {literal("BEGIN" + new.text() + " RETURN NEW; END")};
CREATE FUNCTION public.atomic({new()} int) RETURNS text LANGUAGE sql
    BEGIN ATOMIC SELECT {new.literal()} AS a; SELECT {new.literal()} AS {new()}; END;
CREATE PROCEDURE public.{new()}(int) LANGUAGE sql AS {literal("SELECT " + new.literal())};
CREATE AGGREGATE public.{new()}(int) (sfunc = int4pl, stype = int, initcond = '0');
CREATE FUNCTION public.fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE {t} (
    id int GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {schema}.{new()})
        CONSTRAINT {new()} PRIMARY KEY,
    {column} text DEFAULT {new.literal()}
        CONSTRAINT {identifier(constraint)} CHECK ({column} <> {new.literal()}),
    "made of" text GENERATED ALWAYS AS ({column} || {new.literal()}) STORED,
    "a mood" types.mood DEFAULT {literal(label)}, "a domain" types.kept);
COMMENT ON TABLE {t} IS {new.literal()};
COMMENT ON COLUMN {t}.{column} IS {new.literal()};
COMMENT ON CONSTRAINT {identifier(constraint)} ON {t} IS {new.literal()};
ALTER TABLE {t} ALTER {column} SET STATISTICS 77, ALTER {column} SET STORAGE EXTERNAL;
INSERT INTO {t} ({column})
    VALUES ({new.literal()} || '.'), (DEFAULT), ('\\.'), (E'x\\n\\\\.\\ny'), (NULL);
CREATE INDEX {new()} ON {t} (({column} || {new.literal()})) WHERE {column} <> {new.literal()};
CREATE STATISTICS public.{new()} ON id, {column} FROM {t};
ALTER TABLE {t} ADD CONSTRAINT {new()} UNIQUE ({column});
CREATE TABLE public.referring (n int CONSTRAINT {new()} REFERENCES {t});
CREATE TABLE public.heir ({new()} text DEFAULT {new.literal()}) INHERITS ({t});
INSERT INTO public.heir (id, {column}) VALUES (1, 'an heir''s');
CREATE TABLE public.parts ({new()} text DEFAULT {new.literal()}, k text) PARTITION BY LIST (k);
CREATE TABLE public.{new()} PARTITION OF public.parts FOR VALUES IN ({new.literal()}, 'k');
INSERT INTO public.parts (k) VALUES ('k');
CREATE VIEW {v} AS SELECT {column} AS {new()}, {new.literal()} AS {new()},
    (ARRAY[1, 2])[1 : "VERSION"] AS sliced FROM {t}, (VALUES (1)) AS x("VERSION");
COMMENT ON VIEW {v} IS {new.literal()};
CREATE RULE {new()} AS ON INSERT TO {v} DO INSTEAD
    INSERT INTO {t} ({column}) VALUES ({new.literal()});
CREATE MATERIALIZED VIEW public.{identifier(first)} AS SELECT {new.literal()} AS {new()};
CREATE MATERIALIZED VIEW public.{new()} AS
    SELECT {new.literal()} AS x FROM public.{identifier(first)};
CREATE MATERIALIZED VIEW public.empty AS SELECT {new.literal()} AS x WITH NO DATA;
COMMENT ON MATERIALIZED VIEW public.{identifier(first)} IS {new.literal()};
CREATE SEQUENCE public.{identifier(sequence)};
SELECT setval({literal("public." + identifier(sequence))}, 42);
CREATE TRIGGER {new()} BEFORE INSERT ON {t} FOR EACH ROW WHEN (NEW.{column} <> {new.literal()})
    EXECUTE FUNCTION public.fire({new.literal()}, {new.literal()});
ALTER TABLE {t} ENABLE ROW LEVEL SECURITY;
CREATE POLICY {identifier(policy)} ON {t} FOR SELECT TO {group}, CURRENT_USER, guest
    USING ({column} <> {new.literal()});
COMMENT ON POLICY {identifier(policy)} ON {t} IS {new.literal()};
CREATE TEXT SEARCH CONFIGURATION public.{new()} (COPY = pg_catalog.simple);
CREATE TEXT SEARCH DICTIONARY public.{new()} (TEMPLATE = pg_catalog.simple);
CREATE PUBLICATION {new()};
CREATE PUBLICATION chosen FOR TABLE {t}, public.referring;
COMMENT ON PUBLICATION chosen IS {new.literal()};
ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT ON TABLES TO {group};
ALTER DEFAULT PRIVILEGES FOR ROLE {group} GRANT SELECT ON TABLES TO guest;
GRANT USAGE, CREATE ON SCHEMA {schema} TO {group} WITH GRANT OPTION;
GRANT SELECT, UPDATE ({column}) ON {t} TO {group} WITH GRANT OPTION;
GRANT EXECUTE ON FUNCTION {f}(text) TO {group} WITH GRANT OPTION;
GRANT USAGE ON TYPE types.mood TO {group};
SET ROLE {group};
GRANT USAGE ON SCHEMA {schema} TO guest;
GRANT SELECT, UPDATE ({column}) ON {t} TO guest;
GRANT EXECUTE ON FUNCTION {f}(text) TO guest;
CREATE TABLE {schema}."of a group" ({new()} text DEFAULT {new.literal()});
RESET ROLE;
SELECT lo_from_bytea(4711, convert_to({new.literal()}, 'UTF8'));
COMMENT ON LARGE OBJECT 4711 IS {new.literal()};
GRANT SELECT ON LARGE OBJECT 4711 TO {group};
"""  # noqa: S608 - our own


def settings(sample: int, database: str) -> str:
    """SQL for the owner: what belongs to the database itself, which no archive holds."""
    new = Names(sample)
    return f"""
COMMENT ON DATABASE {database} IS {new.literal()};
ALTER DATABASE {database} SET application_name = {new.literal()};
ALTER DATABASE {database} SET search_path = {new()}, public;
GRANT TEMP ON DATABASE {database} TO {identifier(role(sample))} WITH GRANT OPTION;
"""


def superusers(sample: int, owner: str) -> str:
    """SQL for a superuser: what else the owner's database may have in it."""
    new, group, owner = Names(sample), identifier(role(sample)), identifier(owner)
    wrapper, server, trigger, everything, extension = (new() for _ in range(5))
    return f"""
SET client_min_messages = error;
SET check_function_bodies = off;
CREATE SCHEMA {extension};
CREATE EXTENSION pg_trgm SCHEMA {extension};
COMMENT ON EXTENSION pg_trgm IS {new.literal()};
GRANT EXECUTE ON FUNCTION {extension}.similarity(text, text) TO {group};
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text) TO {group};
CREATE FOREIGN DATA WRAPPER {wrapper} OPTIONS ({new.option()}, b 'c');
COMMENT ON FOREIGN DATA WRAPPER {wrapper} IS {new.literal()};
GRANT USAGE ON FOREIGN DATA WRAPPER {wrapper} TO {owner} WITH GRANT OPTION;
CREATE ACCESS METHOD {new()} TYPE INDEX HANDLER bthandler;
CREATE FUNCTION public.at_ddl() RETURNS event_trigger LANGUAGE plpgsql
    AS {literal("BEGIN" + new.text() + "END")};
CREATE EVENT TRIGGER {trigger} ON ddl_command_start
    WHEN TAG IN ('CREATE AGGREGATE', 'DROP AGGREGATE') EXECUTE FUNCTION public.at_ddl();
ALTER EVENT TRIGGER {trigger} DISABLE;
COMMENT ON EVENT TRIGGER {trigger} IS {new.literal()};
CREATE PUBLICATION {everything} FOR ALL TABLES;
COMMENT ON PUBLICATION {everything} IS {new.literal()};
SET ROLE {owner};
GRANT USAGE ON FOREIGN DATA WRAPPER {wrapper} TO {group};
CREATE SERVER {server} TYPE {new.literal()} VERSION {new.literal()}
    FOREIGN DATA WRAPPER {wrapper} OPTIONS ({new.option()});
COMMENT ON SERVER {server} IS {new.literal()};
CREATE USER MAPPING FOR CURRENT_USER SERVER {server} OPTIONS ({new.option()});
CREATE FOREIGN TABLE public.{new()} ({new()} text OPTIONS ({new.option()}))
    SERVER {server} OPTIONS ({new.option()});
GRANT USAGE ON FOREIGN SERVER {server} TO {group};
"""
