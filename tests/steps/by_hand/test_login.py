"""Whether cron would get into the database: without the password of the client, asking nothing."""

from fabric_predeploy.remote.steps import rules, step


def logged_in(host):
    several = [step("programs", host.settings), rules.psql(host.settings), step("login")]
    return host.run(*several, task="install").of("login")


def test_the_password_of_the_client_is_not_used(host):
    host.stub("psql", '[ -z "${PGPASSWORD-}${PGPASSFILE-}" ] || exit 0; echo "no word" >&2; exit 2')
    told = logged_in(host)
    assert (told["login"], told["said"]) == ("no", "no word")


def test_a_login_asks_the_database_for_no_more_than_the_number_of_its_session(host):
    host.stub("psql", """printf '%s\\n' "$@" >"$HOME/asked\"""")
    assert logged_in(host)["login"] == "yes"
    asked = (host.home / "asked").read_text().splitlines()
    assert [each for each in asked if each.startswith(("--command=", "--file="))] == [
        "--command=SELECT FROM pg_catalog.pg_backend_pid();",
        "--command=\\setenv PGPASSWORD",
    ]
