"""What README says is true: commands run, and the way back by hand leads back."""

import re
import shlex
import subprocess
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def block(marker):
    text = README.read_text(encoding="utf-8")
    return re.search(re.escape(marker) + r".*?```sh\n(.*?)```", text, re.DOTALL)[1]


def plain_dump(project, database):
    dump = [project.pg.bin_dir / "pg_dump", "--host", project.pg.data_dir.parent]
    dump += ["--port", str(project.pg.port), "--username=postgres", database]
    lines = subprocess.run(dump, capture_output=True, check=True, encoding="utf-8").stdout
    return re.sub(r"^\\(un)?restrict .*$", "", lines, flags=re.MULTILINE)


def test_every_command_of_the_table_runs(project):
    text = README.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(fab -H siteground .*?)` \|", text, re.MULTILINE)
    assert len(rows) == 5
    for row in rows:
        command = shlex.split(row.replace("siteground", "demo"))[1:]
        done = project.fab(*command, BACKUP_VERSION="v1.2")
        assert done.returncode == 0, (row, done.stderr)


def test_the_way_back_by_hand_undoes_a_failed_deploy_exactly(project):
    owner, database = "shop", "shop"
    assert project.predeploy("v1").returncode == 0
    (archive,) = project.archives()
    before = plain_dump(project, database)
    project.pg.run_as(
        owner,
        "DROP TABLE offers CASCADE; ALTER TABLE products ADD COLUMN half_done int;"
        "CREATE TABLE added_by_the_deploy AS SELECT 1 AS n; TRUNCATE customers CASCADE",
        database,
    )
    assert plain_dump(project, database) != before

    script = block("executed by tests/integration/test_readme.py")
    script = script.replace(
        "~/backups/postgres/pre-deployment", shlex.quote(str(project.backup_dir))
    )
    script = script.replace("localhost", str(project.pg.data_dir.parent))
    script = script.replace("5432", str(project.pg.port))
    script = script.replace("pricehawk_owner", owner).replace("=pricehawk", f"={database}")
    path = f"{project.pg.bin_dir}:/usr/bin:/bin"
    environment = {"PATH": path, "ARCHIVE": archive.stem, "HOME": "/nonexistent"}
    subprocess.run(["sh", "-euc", script], env=environment, check=True)

    assert plain_dump(project, database) == before
