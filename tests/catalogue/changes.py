"""What a deploy can do to an object, as SQL, made of its kind alone."""

from collections.abc import Callable, Iterable

from tests.catalogue.kinds import WITHOUT_SCHEMA, Kind
from tests.project import OWNER

UNMOVED = {*WITHOUT_SCHEMA, "TRIGGER", "POLICY", "RULE", "INDEX"}
UNRENAMED = {"OPERATOR", "CAST", "USER MAPPING", "EXTENSION", "LARGE OBJECT"}
UNOWNED = {"TRIGGER", "POLICY", "RULE", "INDEX", "CAST", "USER MAPPING", "EXTENSION"}
UNOWNED |= {"TEXT SEARCH TEMPLATE", "TEXT SEARCH PARSER"}


def dropped(kind: Kind) -> str:
    if kind.type == "LARGE OBJECT":
        return f"SELECT lo_unlink({kind.signature}) \\g /dev/null\n"
    if kind.type == "USER MAPPING" or not kind.can("drop"):
        return f"DROP {kind.object};" if kind.can("drop") else ""
    return f"DROP {kind.object} CASCADE;"


def altered(kind: Kind) -> str:
    return kind.placed(kind.change)


def renamed(kind: Kind) -> str:
    if kind.type in UNRENAMED or not kind.can("rename"):
        return ""
    return f"ALTER {kind.object} RENAME TO renamed_{kind.name};"


def moved(kind: Kind) -> str:
    if kind.type in UNMOVED or not kind.can("schema"):
        return ""
    new = f"moved_{kind.name}"
    return f"CREATE SCHEMA {new}; ALTER {kind.object} SET SCHEMA {new};"


def commented(kind: Kind) -> str:
    if kind.type in {"USER MAPPING", "EXTENSION"}:  # a superuser may have made the second for us
        return ""
    return f"COMMENT ON {kind.object} IS 'changed';"


def given(role: str, by: str = OWNER) -> Callable[[Kind], str]:
    def to_role(kind: Kind) -> str:
        if kind.type in UNOWNED or not kind.can("owner"):
            return ""
        return f"SET ROLE {by}; ALTER {kind.object} OWNER TO {role};"

    return to_role


def built_upon(kind: Kind) -> str:
    if not kind.use:
        return ""
    new = f"on_{kind.name}"
    return f"CREATE SCHEMA {new}; SET search_path = {new};\n{kind.placed(kind.use)}\n"


RELATIONS = ("TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE", "FOREIGN TABLE", "TYPE", "DOMAIN")
ROUTINES = ("FUNCTION", "PROCEDURE", "AGGREGATE")
# A relation and a type share their names.
IN_PLACE = (
    "CREATE TABLE {0} (n int); INSERT INTO {0} VALUES (1);",
    "CREATE VIEW {0} AS SELECT 1 AS n;",
    "CREATE SEQUENCE {0};",
    "CREATE MATERIALIZED VIEW {0} AS SELECT 1 AS n;",
    "CREATE TYPE {0} AS ENUM ('in place');",
    "CREATE DOMAIN {0} AS int CHECK (value > 0);",
    "CREATE TYPE {0} AS (n int);",
    "CREATE TYPE {0} AS RANGE (subtype = text, multirange_type_name = {0}_several);",
    "CREATE TABLE {0}_of (n int); CREATE INDEX {0} ON {0}_of (n);",
    "CREATE SERVER {0}_of_{1} FOREIGN DATA WRAPPER wrapper;"
    " CREATE FOREIGN TABLE {0} () SERVER {0}_of_{1};",
)


def replaced(turn: int) -> Callable[[Kind], str]:
    """Something of another type has its name."""

    def by_another(kind: Kind) -> str:
        if not kind.can("drop"):
            return ""
        if kind.type in ROUTINES:
            if kind.signature.count("VARIADIC") > 1:  # nothing else can have these
                return ""
            new = _other_routine(kind, turn)
        elif kind.type in (*RELATIONS, "INDEX"):
            place = turn % len(IN_PLACE)
            new = IN_PLACE[place].format(kind.signature, kind.name)
        else:
            return ""
        return f"{dropped(kind)} {new}"

    return by_another


def _other_routine(kind: Kind, turn: int) -> str:
    inputs = (
        kind.signature[1:].replace(" ORDER BY", ",").replace("(ORDER BY ", "(").replace("*", "")
    )
    inputs = inputs.replace(", OUT text", "").replace("OUT int, IN ", "").replace("INOUT ", "")
    if kind.type == "PROCEDURE" or (kind.type == "AGGREGATE" and turn % 2):
        return f"CREATE FUNCTION f{inputs} RETURNS text LANGUAGE plpgsql AS 'BEGIN END';"
    return f"CREATE PROCEDURE f{inputs} LANGUAGE plpgsql AS 'BEGIN END';"


def of_a_deploy(by: str = OWNER) -> dict[str, Callable[[Kind], str]]:
    return {
        "dropped": dropped,
        "altered": altered,
        "renamed": renamed,
        "moved": moved,
        "commented": commented,
        "built upon": built_upon,
        "given to a group": given("keeper", by),
        "given to the owner of the database": given("pg_database_owner", by),
        **{f"replaced {turn}": replaced(turn) for turn in range(len(IN_PLACE))},
    }


def mixed(kinds: Iterable[Kind], turn: int) -> Callable[[Kind], str]:
    """Another of them for each kind, so that as many turns do all of them to all kinds."""
    several = tuple(of_a_deploy().values())
    chosen = {kind: several[(place + turn) % len(several)] for place, kind in enumerate(kinds)}
    return lambda kind: chosen[kind](kind)
