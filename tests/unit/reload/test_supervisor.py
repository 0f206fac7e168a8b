from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from interlock.config.listing import unreadable
from interlock.config.source import Source
from interlock.diagnostics import Diagnostic, Location
from interlock.errors import ConfigError, StoreError
from interlock.reload.last_good import LastGood
from interlock.reload.supervisor import Supervisor, SupervisorClosed
from tests.unit.reload.fakes import Bench, Files, bench
from tests.unit.reload.sources import broken_source, make_source

ONE, TWO, THREE = (make_source(text=text) for text in ("One.", "Two.", "Three."))


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path, ONE) as made:
        yield made


async def test_the_first_configuration_is_kept_before_anything_runs_on_it(made: Bench) -> None:
    assert made.supervisor.active.digest == ONE.digest
    assert made.store.kept == {ONE.digest: ONE.files}
    (record,) = made.told.activations
    assert (record.digest, record.previous, record.trigger) == (ONE.digest, None, "start")


async def test_a_change_becomes_active_as_a_whole(made: Bench, tmp_path: Path) -> None:
    outcome = await made.reload(TWO, who="ops", why="because")
    assert (outcome.status, outcome.generation) == ("applied", 2)
    assert (outcome.previous, outcome.active) == (ONE.digest, TWO.digest)
    assert [(change.subject, change.path) for change in outcome.changes] == [
        ("agent support", "description")
    ]
    assert made.supervisor.active.digest == TWO.digest
    assert TWO.digest in made.store.kept
    record = made.told.activations[-1]
    assert (record.previous, record.trigger, record.who, record.why) == (
        ONE.digest,
        "api",
        "ops",
        "because",
    )
    assert record.files == TWO.files
    assert made.told.outcomes == [("api", outcome)]
    newest = LastGood(tmp_path).newest()
    assert newest is not None
    assert newest.source == TWO


async def test_the_same_content_changes_nothing(made: Bench) -> None:
    outcome = await made.reload(ONE)
    assert (outcome.status, outcome.generation, outcome.changes) == ("unchanged", 1, ())
    assert len(made.told.activations) == 1


async def test_a_broken_file_changes_nothing_but_is_told_of(
    made: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    outcome = await made.offer(broken_source())
    assert outcome is not None
    assert (outcome.status, outcome.reason, outcome.generation) == ("rejected", "invalid", 1)
    (finding,) = outcome.findings
    assert finding.text == (
        "agents.d/support.yaml:7:21: error[ILK-C003]: limits.maxTokens must be at least 1, got 0\n"
        "    7 | limits: {maxTokens: 0}\n"
        "      |                     ^"
    )
    assert made.supervisor.active.digest == ONE.digest
    rejected = made.supervisor.standing.rejected
    assert rejected is not None
    assert (rejected.digest, rejected.findings) == (broken_source().digest, outcome.findings)
    assert made.supervisor.standing.stale_since == rejected.at
    assert finding.text in caplog.text
    assert made.supervisor.known == broken_source().fingerprint


@pytest.mark.parametrize("good", [ONE, TWO])
async def test_a_repaired_file_clears_the_rejection(made: Bench, good: Source) -> None:
    await made.offer(broken_source())
    await made.offer(broken_source("limits: {maxTokens: -1}"))
    outcome = await made.offer(good)
    assert outcome is not None
    assert outcome.status == ("unchanged" if good is ONE else "applied")
    standing = made.supervisor.standing
    assert (standing.rejected, standing.stale_since) == (None, None)


async def test_the_time_of_a_rejection_is_that_of_the_first_one_in_a_row(made: Bench) -> None:
    await made.offer(broken_source())
    since = made.supervisor.standing.stale_since
    await made.offer(broken_source("limits: {maxTokens: -1}"))
    assert made.supervisor.standing.stale_since == since
    rejected = made.supervisor.standing.rejected
    assert rejected is not None
    assert since is not None
    assert rejected.at > since


async def test_a_rejection_names_the_content_of_now_though_it_fails_in_the_same_way(
    made: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    await made.offer(broken_source())
    first = made.supervisor.standing.rejected
    assert first is not None
    notes = {"agents.d/notes.bin": b"\x01"}
    edited = Source({**broken_source().files, **notes})
    outcome = await made.offer(edited)
    assert outcome is not None
    assert outcome.status == "rejected"
    rejected = made.supervisor.standing.rejected
    assert rejected is not None
    assert (rejected.digest, rejected.findings) == (edited.digest, first.findings)
    # It is the same failure since then, and told of once.
    assert rejected.at == first.at
    assert caplog.text.count("maxTokens must be at least 1") == 1


async def test_what_may_pass_is_not_known_and_told_of_once(
    made: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    locked = make_source(found=(unreadable("agents.d/x.yaml", "Permission denied"),))
    for _ in range(3):
        outcome = await made.offer(locked)
        assert outcome is not None
        assert outcome.reason == "unreadable"
        assert made.supervisor.known is None
    assert len(made.told.outcomes) == 1
    assert caplog.text.count("Permission denied") == 1
    assert (await made.offer(ONE)) is not None
    assert made.supervisor.standing.rejected is None


async def test_a_store_that_fails_keeps_the_configuration_out(made: Bench) -> None:
    made.store.failure = StoreError("disk full")
    outcome = await made.offer(TWO)
    assert outcome is not None
    assert (outcome.status, outcome.reason) == ("rejected", "store")
    assert "disk full" in outcome.findings[0].text
    assert made.supervisor.active.digest == ONE.digest
    made.store.failure = None
    again = await made.offer(TWO)
    assert again is not None
    assert again.status == "applied"


async def test_a_mass_change_needs_to_be_asked_for(tmp_path: Path) -> None:
    async with bench(tmp_path, make_source("a", "b", "c")) as made:
        outcome = await made.reload(make_source("a"))
        assert (outcome.status, outcome.reason) == ("rejected", "mass_change")
        assert sorted(made.supervisor.active.agents) == ["a", "b", "c"]
        outcome = await made.reload(make_source("a"), allow_removals=True)
        assert outcome.status == "applied"
        assert sorted(made.supervisor.active.agents) == ["a"]


async def test_a_configuration_cannot_allow_its_own_removals(tmp_path: Path) -> None:
    async with bench(tmp_path, make_source("a", "b", "c")) as made:
        outcome = await made.offer(make_source("a", settings="reload: {maxRemoved: 1}"))
        assert outcome is not None
        assert outcome.reason == "mass_change"


@pytest.mark.parametrize("allow_removals", [True, False])
async def test_an_emptied_tree_is_refused(made: Bench, allow_removals: bool) -> None:
    outcome = await made.reload(Source({}), allow_removals=allow_removals)
    assert (outcome.status, outcome.reason) == ("rejected", "mass_change")
    assert made.supervisor.active.digest == ONE.digest


async def test_an_expected_digest_must_be_the_active_one(made: Bench) -> None:
    outcome = await made.reload(TWO, if_match="f" * 64)
    assert (outcome.status, outcome.reason) == ("rejected", "stale_precondition")
    # This is about the request: the files have not been judged.
    assert made.supervisor.standing.rejected is None
    assert made.supervisor.known == ONE.fingerprint
    outcome = await made.reload(TWO, if_match=ONE.digest)
    assert outcome.status == "applied"


async def test_what_the_service_cannot_run_with_is_refused(tmp_path: Path) -> None:
    files = Files(ONE)
    supervisor = await Supervisor.start(tmp_path, {}, read=files.read, state_dir=tmp_path)
    said = Diagnostic("ILK-R004", "not here", Location("interlock.yaml"))
    async with bench(tmp_path) as other:
        await supervisor.begin(other.store, allowed=lambda snapshot: [said])
        files.source = TWO
        outcome = await supervisor.reload("api")
    assert (outcome.status, outcome.findings[0].diagnostic) == ("rejected", said)
    await supervisor.generations.close()


async def test_equal_requests_that_wait_are_one_attempt(made: Bench) -> None:
    made.store.may_end.clear()
    made.files.source = TWO
    first = asyncio.create_task(made.supervisor.reload("api", who="a"))
    await made.store.began.wait()
    # The first one has read the files; whoever comes now may have saved others.
    made.files.source = THREE
    later = [asyncio.create_task(made.supervisor.reload("api", who="a")) for _ in range(50)]
    other = asyncio.create_task(made.supervisor.reload("api", who="b"))
    await asyncio.sleep(0)
    made.store.may_end.set()
    assert (await first).active == TWO.digest
    outcomes = await asyncio.gather(*later)
    assert {outcome.active for outcome in outcomes} == {THREE.digest}
    assert all(outcome is outcomes[0] for outcome in outcomes)
    assert (await other).status == "unchanged"
    # The start, the first, the fifty, the other one.
    assert made.files.readings == 4


async def test_whoever_leaves_does_not_stop_the_attempt(made: Bench) -> None:
    made.store.may_end.clear()
    made.files.source = TWO
    asking = asyncio.create_task(made.supervisor.reload("api"))
    await made.store.began.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    made.store.may_end.set()
    assert (await made.supervisor.reload("signal")).status == "unchanged"
    assert made.supervisor.active.digest == TWO.digest


async def test_what_was_found_before_another_decision_is_not_decided_about(made: Bench) -> None:
    decisions = made.supervisor.decisions
    await made.reload(THREE)
    assert await made.supervisor.offer(TWO, decisions=decisions) is None
    assert made.supervisor.active.digest == THREE.digest


async def test_a_rollback_leaves_the_files_alone_until_they_change(made: Bench) -> None:
    await made.offer(TWO)
    outcome = await made.supervisor.activate(ONE, who="ops", why="it was worse")
    assert (outcome.status, outcome.active) == ("applied", ONE.digest)
    assert made.told.activations[-1].trigger == "rollback"
    assert made.supervisor.standing.rolled_back == TWO.digest
    assert made.supervisor.known == TWO.fingerprint
    again = await made.offer(THREE)
    assert again is not None
    assert (again.status, made.supervisor.standing.rolled_back) == ("applied", None)


async def test_a_reload_after_a_rollback_applies_the_files(made: Bench) -> None:
    await made.offer(TWO)
    await made.supervisor.activate(ONE)
    outcome = await made.supervisor.reload("api")
    assert (outcome.status, outcome.active) == ("applied", TWO.digest)
    assert made.supervisor.standing.rolled_back is None


async def test_a_rollback_may_remove_agents_and_may_fail(tmp_path: Path) -> None:
    async with bench(tmp_path, make_source("a", "b", "c")) as made:
        assert (await made.supervisor.activate(make_source("a"))).status == "applied"
        outcome = await made.supervisor.activate(broken_source())
        assert (outcome.status, outcome.reason) == ("rejected", "invalid")
        # The files have nothing to do with it.
        assert made.supervisor.standing.rejected is None
        assert sorted(made.supervisor.active.agents) == ["a"]


async def test_a_rollback_while_the_files_are_broken_does_not_mend_them(made: Bench) -> None:
    await made.offer(TWO)
    await made.offer(broken_source())
    await made.supervisor.activate(ONE)
    assert made.supervisor.standing.rejected is not None


async def test_a_rollback_can_expect_a_digest(made: Bench) -> None:
    await made.offer(TWO)
    outcome = await made.supervisor.activate(ONE, if_match=ONE.digest)
    assert outcome.reason == "stale_precondition"
    assert made.supervisor.active.digest == TWO.digest


async def test_a_history_that_fails_blocks_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        async def activated(self, record: object) -> None:
            raise RuntimeError("no room")

    files = Files(ONE)
    supervisor = await Supervisor.start(tmp_path, {}, read=files.read, state_dir=tmp_path)
    async with bench(tmp_path) as other:
        await supervisor.begin(other.store, history=Broken())
        files.source = TWO
        assert (await supervisor.reload("api")).status == "applied"
    await supervisor.generations.close()
    assert "was not recorded" in caplog.text


async def test_a_full_disk_blocks_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    async with bench(tmp_path / "file", ONE) as made:
        assert (await made.reload(TWO)).status == "applied"
    assert "could not be kept for `serve --resume`" in caplog.text


async def test_settings_that_need_a_restart_are_named_as_long_as_they_differ(made: Bench) -> None:
    moved = make_source(text="Two.", settings="server: {port: 9999}\nstore: {url: sqlite:///x.db}")
    outcome = await made.reload(moved)
    assert (outcome.status, outcome.restart_needed) == ("applied", ("server.port", "store.url"))
    assert (await made.reload(TWO)).restart_needed == ()


async def test_a_reload_takes_secrets_from_their_files_anew(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("first")
    settings = make_source().files["interlock.yaml"].decode()
    source = make_source(
        files={"interlock.yaml": settings.replace("{env: KEY, default: none}", f"{{file: {key}}}")}
    )
    async with bench(tmp_path, source) as made:
        before = made.supervisor.generations.active.generation.services.providers
        assert (await made.supervisor.reload("signal")).status == "unchanged"
        key.write_text("second")
        outcome = await made.supervisor.reload("signal")
        assert (outcome.status, outcome.previous) == ("applied", outcome.active)
        after = made.supervisor.generations.active.generation.services.providers
        assert after["anthropic"] is not before["anthropic"]
        assert (await made.supervisor.reload("api")).status == "unchanged"
        key.unlink()
        outcome = await made.supervisor.reload("api")
        assert (outcome.status, outcome.reason) == ("rejected", "unreadable")
        # It is tried again by itself, and then the secret of then counts.
        key.write_text("third")
        again = await made.offer(source)
        assert again is not None
        assert (again.status, again.generation) == ("applied", 3)
        assert made.supervisor.standing.rejected is None


async def test_warnings_come_with_an_activation(made: Bench) -> None:
    unused = make_source(files={"tools.d/spare.yaml": _spare()})
    outcome = await made.reload(unused)
    assert outcome.status == "applied"
    assert "ILK-C016" in {finding.diagnostic.code for finding in outcome.findings}


async def test_nothing_is_reloaded_before_the_start_and_after_the_end(tmp_path: Path) -> None:
    files = Files(ONE)
    supervisor = await Supervisor.start(tmp_path, {}, read=files.read, state_dir=tmp_path)
    with pytest.raises(SupervisorClosed):
        await supervisor.reload("signal")
    async with bench(tmp_path) as made:
        await supervisor.begin(made.store)
        await supervisor.close()
        with pytest.raises(SupervisorClosed):
            await supervisor.reload("signal")
    await supervisor.generations.close()


async def test_the_end_waits_for_the_attempt_under_way(made: Bench) -> None:
    made.store.may_end.clear()
    made.files.source = TWO
    asking = asyncio.create_task(made.supervisor.reload("api"))
    await made.store.began.wait()
    closing = asyncio.create_task(made.supervisor.close())
    await asyncio.sleep(0)
    assert not closing.done()
    made.store.may_end.set()
    await closing
    # It was built, but nothing may begin to run on it any more.
    with pytest.raises(SupervisorClosed):
        await asking
    assert made.supervisor.active.digest == ONE.digest


async def test_a_broken_tree_is_no_start(tmp_path: Path) -> None:
    for resume in (False, True):
        with pytest.raises(ConfigError) as refused:
            async with bench(tmp_path / "empty", broken_source(), resume=resume):
                raise AssertionError("it started")
        assert refused.value.diagnostics[0].code == "ILK-C003"


async def test_a_broken_tree_is_a_start_with_the_last_good_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with bench(tmp_path, ONE) as made:
        await made.reload(TWO)
    async with bench(tmp_path, broken_source(), resume=True) as made:
        assert made.supervisor.active.digest == TWO.digest
        assert made.supervisor.activation.trigger == "resume"
        standing = made.supervisor.standing
        assert standing.resumed is not None
        assert standing.rejected is not None
        assert standing.rejected.reason == "invalid"
        assert "resumed with snapshot" in caplog.text
        # The broken files are known: they are not tried again before they change.
        assert made.supervisor.known == broken_source().fingerprint
        await made.offer(TWO)
        assert (standing.resumed, standing.rejected) == (None, None)


async def test_the_last_good_one_is_offered_to_whoever_does_not_know_of_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with bench(tmp_path, ONE):
        pass
    with pytest.raises(ConfigError):
        async with bench(tmp_path, broken_source()):
            raise AssertionError("it started")
    assert "serve --resume would start with the configuration of " in caplog.text


async def test_a_valid_tree_is_never_passed_over_for_the_last_good_one(tmp_path: Path) -> None:
    async with bench(tmp_path, ONE):
        pass
    async with bench(tmp_path, TWO, resume=True) as made:
        assert made.supervisor.active.digest == TWO.digest
        assert made.supervisor.standing.resumed is None


async def test_a_last_good_one_that_is_good_no_more_is_no_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    LastGood(tmp_path).save(broken_source("limits: {maxTokens: -7}"))
    with pytest.raises(ConfigError) as refused:
        async with bench(tmp_path, broken_source(), resume=True):
            raise AssertionError("it started")
    assert "got 0" in refused.value.diagnostics[0].message
    assert "is not valid either" in caplog.text


def _spare() -> str:
    tool = make_source().files["tools.d/orders.yaml"].decode()
    return tool.replace("get_order", "spare").replace("Returns an order.", "Fetches a parcel.")
