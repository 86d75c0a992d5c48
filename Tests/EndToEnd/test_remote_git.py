"""Repositories on other machines: read over TLS, with a password that only git knows."""

import json

import pytest
from git_server import PASSWORD, USER, GitServer
from suite import Events


@pytest.fixture
def server(repo, folder):
    one = GitServer(repo.origin.parent, folder / "server")
    yield one
    one.stop()


def test_a_repository_is_polled_over_https_with_the_password_that_git_has(suite, repo, folder, server):
    home = folder / "home"
    home.mkdir()
    suite.environment |= {"HOME": str(home), "GIT_SSL_CAINFO": str(server.certificate)}
    suite.up()
    events = Events(suite, tell=lambda event: None)
    suite.command("repo", "add", "small", server.url(repo.origin.name), "--poll", "0.3")
    # Nobody is asked for a password, and nothing waits for one.
    refused = events.wait("repository.unreachable", 60, repository="small")["data"]
    assert "127.0.0.1" in refused["reason"]
    netrc = home / ".netrc"
    netrc.write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n")
    netrc.chmod(0o600)
    events.wait("repository.recovered", 120, repository="small")
    for _ in range(2):
        sha = repo.push_steps('{ run: "true" }')
        pushed = events.wait("change.pushed", 60, sha=sha)
        assert pushed["data"]["url"] == server.url(repo.origin.name)
        run = events.wait("run.queued", 60, cause=pushed["id"])["data"]["run"]
        assert events.wait("run.finished", 60, run=run)["data"]["outcome"] == "succeeded"
    events.stop()
    assert PASSWORD not in json.dumps(events.find_all()) + suite.logs(lines=10_000)
