"""The storage contract, whatever store is behind it: only the fixture `storage` knows that it is etcd."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from kubehop.hop.errors import HopError
from kubehop.pb.storage.v1 import (
    SOURCE_CACHE,
    CreateRequest,
    Key,
    ListPageRequest,
    ListPageResponse,
    ListRequest,
    StorageRpcs,
    UpdateRequest,
)
from tests.services.storage.peers import CONTEXT, Storage, config_map, reason


async def test_created_object_is_read_back(storage: Storage) -> None:
    """What was created is read with its revision as resourceVersion, from every kind of read."""
    created = await storage.create("a", {"data": {"k": "v"}})
    expected = orjson.loads(config_map("a", {"data": {"k": "v"}}))
    expected["metadata"]["resourceVersion"] = str(created.revision)
    assert orjson.loads(created.object) == expected
    for version in ("", str(created.revision), "0"):
        found = await storage.get("a", version)
        assert (found.object, found.revision, found.source) == (created.object, created.revision, SOURCE_CACHE)
        assert found.store_key == created.store_key
        assert found.store_key.endswith("/configmaps/default/a")


async def test_create_refuses_what_exists(storage: Storage) -> None:
    """A second create of one name fails and changes nothing."""
    first = await storage.create("a", {"data": {"k": "1"}})
    with pytest.raises(HopError) as caught:
        await storage.create("a", {"data": {"k": "2"}})
    assert reason(caught.value) == "ALREADY_EXISTS"
    assert caught.value.metadata == {"key": first.store_key}
    assert (await storage.get("a")).revision == first.revision


async def test_missing_objects_are_not_found(storage: Storage) -> None:
    """Get, update and delete of a missing object fail alike."""
    for attempt in (storage.get("no"), storage.get("no", "0"), storage.update("no", {}, 5), storage.delete("no")):
        with pytest.raises(HopError) as caught:
            await attempt
        assert reason(caught.value) == "NOT_FOUND"


async def test_update_needs_the_current_revision(storage: Storage) -> None:
    """Of two updates from one revision the second conflicts, and is told the current revision."""
    first = await storage.create("a")
    second = await storage.update("a", {"data": {"k": "2"}}, first.revision)
    assert second.revision > first.revision
    assert not second.unchanged
    with pytest.raises(HopError) as caught:
        await storage.update("a", {"data": {"k": "3"}}, first.revision)
    assert reason(caught.value) == "CONFLICT"
    assert caught.value.metadata["precondition"] == "resourceVersion"
    assert caught.value.metadata["expected"] == str(first.revision)
    assert caught.value.metadata["current"] == str(second.revision)
    with pytest.raises(HopError) as caught:
        await storage.update("a", {}, 0)
    assert reason(caught.value) == "INVALID"


async def test_update_with_the_same_bytes_is_not_written(storage: Storage) -> None:
    """An update that changes nothing keeps the revision; from an old revision it conflicts all the same."""
    created = await storage.create("a", {"data": {"k": "1"}})
    same = await storage.update("a", {"data": {"k": "1"}}, created.revision)
    assert (same.unchanged, same.revision, same.object) == (True, created.revision, created.object)
    changed = await storage.update("a", {"data": {"k": "2"}}, created.revision)
    same = await storage.update("a", {"data": {"k": "2"}}, changed.revision)
    assert same.unchanged
    assert same.revision == changed.revision
    with pytest.raises(HopError) as caught:
        await storage.update("a", {"data": {"k": "2"}}, created.revision)
    assert reason(caught.value) == "CONFLICT"


async def test_delete_returns_the_last_state(storage: Storage) -> None:
    """A deletion returns the object with the deletion's revision."""
    created = await storage.create("a", {"data": {"k": "1"}})
    deleted = await storage.delete("a")
    assert deleted.revision > created.revision
    last = orjson.loads(created.object)
    last["metadata"]["resourceVersion"] = str(deleted.revision)
    assert orjson.loads(deleted.object) == last
    with pytest.raises(HopError):
        await storage.get("a")


async def test_delete_holds_to_its_preconditions(storage: Storage) -> None:
    """uid and revision are checked against the stored object, and the failure says which one differs."""
    created = await storage.create("a", {"uid": "u-1"})
    with pytest.raises(HopError) as caught:
        await storage.delete("a", uid="u-2")
    assert reason(caught.value) == "CONFLICT"
    assert caught.value.metadata["precondition"] == "uid"
    assert caught.value.metadata["current"] == "u-1"
    updated = await storage.update("a", {"uid": "u-1", "data": {}}, created.revision)
    with pytest.raises(HopError) as caught:
        await storage.delete("a", expected=created.revision, uid="u-1")
    assert reason(caught.value) == "CONFLICT"
    assert caught.value.metadata["precondition"] == "resourceVersion"
    await storage.delete("a", expected=updated.revision, uid="u-1")


async def test_concurrent_updates_lose_nothing(storage: Storage) -> None:
    """Counting up from many tasks, each retrying its conflicts, ends at the number of tasks."""
    await storage.create("a", {"data": {"n": "0"}})

    async def count_up() -> None:
        while True:
            found = await storage.get("a")
            number = int(orjson.loads(found.object)["data"]["n"])
            try:
                await storage.update("a", {"data": {"n": str(number + 1)}}, found.revision)
            except HopError as error:
                if reason(error) != "CONFLICT":
                    raise
            else:
                return

    await asyncio.gather(*(count_up() for _ in range(12)))
    assert orjson.loads((await storage.get("a")).object)["data"]["n"] == "12"


async def test_what_is_no_object_is_refused(storage: Storage) -> None:
    """Bytes that are no JSON object with metadata are not stored; keys that lead elsewhere are refused."""
    created = await storage.create("a")
    for value in (b"", b"{", b"[]", b'{"kind":"ConfigMap"}', b'{"metadata":1}', b'{"metadata":{}} x'):
        request = UpdateRequest(key=storage.key("a"), object=value, expected_revision=created.revision)
        with pytest.raises(HopError) as caught:
            await storage.client.call(StorageRpcs.UPDATE, request, CONTEXT)
        assert reason(caught.value) == "INVALID"
    keys: list[dict[str, str]] = [{"name": "a/b"}, {"name": ".."}, {"namespace": "../x"}, {"resource": ""}]
    for parts in keys:
        with pytest.raises(HopError) as caught:
            await storage.get(**{"name": "a", **parts})
        assert reason(caught.value) == "INVALID"


async def test_too_large_objects_are_refused(storage: Storage) -> None:
    """An object beyond etcd's request limit fails as too large, and one just below it is kept."""
    with pytest.raises(HopError) as caught:
        await storage.create("big", {"data": {"k": "x" * (3 << 20)}})
    assert reason(caught.value) == "TOO_LARGE"
    with pytest.raises(HopError) as caught:
        await storage.create("big", {"data": {"k": "x" * (1600 << 10)}})
    assert reason(caught.value) == "TOO_LARGE"
    await storage.create("big", {"data": {"k": "x" * (1400 << 10)}})
    assert len((await storage.get("big")).object) > 1400 << 10


async def test_a_revision_that_is_not_reached_fails(storage: Storage) -> None:
    """Reads at a future revision wait a little, then fail with both revisions."""
    created = await storage.create("a")
    future = str(created.revision + 1_000_000)
    for attempt in (
        storage.get("a", future),
        storage.list(resource_version=future),
        storage.list(resource_version=future, resource_version_match="Exact"),
    ):
        with pytest.raises(HopError) as caught:
            await attempt
        assert reason(caught.value) == "FUTURE_REVISION"
        assert caught.value.metadata["requested"] == future
        assert caught.value.message.startswith(f"Too large resource version: {future}, current: ")
    waiting = asyncio.create_task(storage.get("a", str(created.revision + 1)))
    await asyncio.sleep(0.05)
    await storage.create("b")
    assert (await waiting).revision == created.revision


async def test_list_is_ordered_and_complete(storage: Storage) -> None:
    """Lists come in key order, without kind and apiVersion for built-in kinds, with them when asked."""
    for name in ("c", "a", "b"):
        await storage.create(name)
    await storage.create("z", namespace="another")
    listed = await storage.list()
    assert listed.names == ["a", "b", "c"]
    assert all("kind" not in item and "apiVersion" not in item for item in listed.items)
    assert not listed.header.continue_token
    assert not listed.header.HasField("remaining_item_count")
    full = await storage.list(with_type_meta=True)
    assert full.items == [{"kind": "ConfigMap", "apiVersion": "v1", **item} for item in listed.items]
    everywhere = await storage.list(Key(resource="configmaps"))
    assert everywhere.names == ["z", "a", "b", "c"]
    assert everywhere.header.revision == listed.header.revision
    one = await storage.list(storage.key("b"))
    assert one.names == ["b"]
    assert (await storage.list(storage.key("no"))).items == []


async def test_small_lists_come_in_one_answer(storage: Storage) -> None:
    """ListPage gives what List gives, unless the items are too many for one answer; it is optional to a store."""

    async def page(**options: Any) -> ListPageResponse:
        request = ListPageRequest(list=ListRequest(key=storage.key(), **options))
        return await storage.client.call(StorageRpcs.LIST_PAGE, request, CONTEXT)

    assert (await page()).HasField("header")
    for name in ("a", "b", "c"):
        await storage.create(name, {"labels": {"even": ""} if name == "b" else {}})
    for options in ({}, {"limit": 2}, {"label_selector": "even"}, {"with_type_meta": True}):
        whole, streamed = await page(**options), await storage.list(**options)
        assert whole.header.revision == streamed.header.revision
        assert bool(whole.header.continue_token) == bool(streamed.header.continue_token)
        assert orjson.loads(b"[" + whole.items + b"]") == streamed.items
        assert whole.count == len(streamed.items)
    with pytest.raises(HopError) as caught:
        await page(resource_version="abc")
    assert reason(caught.value) == "INVALID"
    await storage.create("large", {"data": {"k": "x" * 300_000}})
    assert not (await page()).HasField("header")
    assert (await page(label_selector="even")).count == 1


async def test_list_of_custom_resources_keeps_type(storage: Storage) -> None:
    """Items of custom resources keep their own kind and apiVersion, also when versions are mixed."""
    for name, version in (("a", "v1"), ("b", "v1"), ("c", "v2")):
        value = {"apiVersion": f"example.com/{version}", "kind": "Widget", "metadata": {"name": name}}
        request = {"group": "example.com", "resource": "widgets", "name": name}
        await storage.client.call(
            StorageRpcs.CREATE, CreateRequest(key=Key(**request), object=orjson.dumps(value)), CONTEXT
        )
    listed = await storage.list(Key(group="example.com", resource="widgets"))
    assert [item["apiVersion"] for item in listed.items] == ["example.com/v1", "example.com/v1", "example.com/v2"]
    assert [item["kind"] for item in listed.items] == ["Widget"] * 3


async def test_large_lists_come_in_chunks(storage: Storage) -> None:
    """A list of a few megabytes comes in chunks of about 256 KiB and is whole."""
    names = [f"o-{n:04}" for n in range(300)]
    await asyncio.gather(*(storage.create(name, {"data": {"k": "x" * 5000}}) for name in names))
    listed = await storage.list()
    assert listed.names == names
    sizes = [len(chunk) for chunk in listed.chunks]
    assert 5 <= len(sizes) <= 8
    assert max(sizes) <= 300 << 10


async def test_selectors(storage: Storage) -> None:
    """Labels and fields select in lists; a bad selector is refused."""
    await storage.create("a", {"labels": {"app": "web", "tier": "1"}})
    await storage.create("b", {"labels": {"app": "db"}})
    await storage.create("c")

    async def names(**options: str) -> list[str]:
        return (await storage.list(**options)).names

    assert await names(label_selector="app=web") == ["a"]
    assert await names(label_selector="app") == ["a", "b"]
    assert await names(label_selector="app!=web") == ["b", "c"]
    assert await names(label_selector="app in (web,db),tier") == ["a"]
    assert await names(field_selector="metadata.name=b") == ["b"]
    assert await names(field_selector="metadata.name!=b,metadata.namespace=default") == ["a", "c"]
    assert await names(field_selector="metadata.namespace=other") == []
    with pytest.raises(HopError) as caught:
        await names(label_selector="a b")
    assert reason(caught.value) == "INVALID"


async def test_fields_of_kinds(storage: Storage) -> None:
    """Fields other than text are compared as kube-apiserver prints them, absent ones as their zero."""

    async def put(resource: str, kind: str, name: str, content: dict[str, Any], version: str = "v1") -> None:
        value = {"kind": kind, "apiVersion": version, "metadata": {"name": name}, **content}
        group = version.rpartition("/")[0]
        key = Key(group=group, resource=resource, name=name)
        await storage.client.call(StorageRpcs.CREATE, CreateRequest(key=key, object=orjson.dumps(value)), CONTEXT)

    async def names(resource: str, selector: str, group: str = "") -> list[str]:
        return (await storage.list(Key(group=group, resource=resource), field_selector=selector)).names

    await put("nodes", "Node", "a", {"spec": {}})
    await put("nodes", "Node", "b", {"spec": {"unschedulable": True}})
    assert await names("nodes", "spec.unschedulable=false") == ["a"]
    assert await names("nodes", "spec.unschedulable=true") == ["b"]
    await put("pods", "Pod", "a", {"spec": {"nodeName": "n1"}, "status": {"phase": "Running"}})
    await put("pods", "Pod", "b", {"spec": {}, "status": {"phase": "Pending"}})
    assert await names("pods", "spec.nodeName=n1") == ["a"]
    assert await names("pods", "spec.nodeName=") == ["b"]
    assert await names("pods", "status.phase!=Running,spec.hostNetwork=false") == ["b"]
    await put("events", "Event", "a", {"involvedObject": {"name": "x"}, "source": {"component": "s"}})
    await put("events", "Event", "b", {"involvedObject": {"name": "y"}, "reportingComponent": "r"})
    assert await names("events", "involvedObject.name=x") == ["a"]
    assert await names("events", "source=r") == ["b"]
    await put("jobs", "Job", "a", {"status": {"succeeded": 3}}, "batch/v1")
    await put("jobs", "Job", "b", {}, "batch/v1")
    assert await names("jobs", "status.successful=3", "batch") == ["a"]
    assert await names("jobs", "status.successful=0", "batch") == ["b"]


async def test_pages_are_pinned(storage: Storage) -> None:
    """Pages show one revision, whatever is written between them, and count what remains."""
    for name in "abcde":
        await storage.create(name)
    first = await storage.list(limit=2)
    assert first.names == ["a", "b"]
    assert first.header.remaining_item_count == 3
    await storage.delete("c")
    await storage.create("bb")
    changed = await storage.get("d")
    await storage.update("d", {"data": {"new": "yes"}}, changed.revision)
    second = await storage.list(limit=2, continue_token=first.header.continue_token)
    assert second.names == ["c", "d"]
    assert "data" not in second.items[1]
    assert second.header.revision == first.header.revision
    assert second.header.remaining_item_count == 1
    third = await storage.list(limit=2, continue_token=second.header.continue_token)
    assert third.names == ["e"]
    assert not third.header.continue_token
    rest = await storage.list(continue_token=first.header.continue_token)
    assert rest.names == ["c", "d", "e"]
    assert (await storage.list()).names == ["a", "b", "bb", "d", "e"]


async def test_pages_with_selectors(storage: Storage) -> None:
    """A page is full of matching objects; how many more match is not counted."""
    for name in "abcde":
        await storage.create(name, {"labels": {"odd": "yes"}} if name in "ace" else {})
    page = await storage.list(limit=1, label_selector="odd")
    assert page.names == ["a"]
    assert page.header.continue_token
    assert not page.header.HasField("remaining_item_count")
    page = await storage.list(limit=2, label_selector="odd", continue_token=page.header.continue_token)
    assert page.names == ["c", "e"]
    assert not page.header.continue_token
    assert (await storage.list(limit=5, label_selector="odd")).names == ["a", "c", "e"]


async def test_pages_over_namespaces_and_names(storage: Storage) -> None:
    """Pages go across namespaces; the list of one name has no pages."""
    for namespace in ("x", "y"):
        for name in "ab":
            await storage.create(name, namespace=namespace)
    seen: list[str] = []
    token = ""
    while True:
        page = await storage.list(Key(resource="configmaps"), limit=1, continue_token=token)
        seen += page.names
        token = page.header.continue_token
        if not token:
            break
    assert seen == ["a", "b", "a", "b"]
    one = await storage.list(Key(resource="configmaps", namespace="x", name="a"), limit=1)
    assert one.names == ["a"]
    assert not one.header.continue_token


async def test_bad_pages(storage: Storage) -> None:
    """Continue tokens that are none are refused in kube-apiserver's words."""
    await storage.create("a")
    start = "invalid continue token: continue key is not valid"
    for token, message in (
        ("abc", f"{start}: invalid character 'i' looking for beginning of value"),
        ("e30", f"{start}: server does not recognize this encoded version "),
        ("eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NSwic3RhcnQiOiIuLi8uLi9zZWNyZXRzIn0", f"{start}: ../../secrets"),
    ):
        with pytest.raises(HopError) as caught:
            await storage.list(continue_token=token)
        assert reason(caught.value) == "INVALID"
        assert caught.value.message == message
    with pytest.raises(HopError) as caught:
        await storage.list(resource_version="abc")
    assert caught.value.message == (
        'invalid resource version: resourceVersion: Invalid value: "abc": '
        'strconv.ParseUint: parsing "abc": invalid syntax'
    )


async def test_exact_and_not_older(storage: Storage) -> None:
    """Exact shows that very revision; NotOlderThan and a bare revision show the present; 0 ignores the limit."""
    first = await storage.create("a")
    second = await storage.create("b")
    await storage.delete("a")
    exact = await storage.list(resource_version=str(first.revision), resource_version_match="Exact")
    assert (exact.names, exact.header.revision) == (["a"], first.revision)
    exact = await storage.list(resource_version=str(second.revision), resource_version_match="Exact", limit=1)
    assert (exact.names, exact.header.remaining_item_count) == (["a"], 1)
    assert (await storage.list(resource_version=str(first.revision), limit=5)).names == ["a"]
    for match in ("", "NotOlderThan"):
        listed = await storage.list(resource_version=str(first.revision), resource_version_match=match)
        assert listed.names == ["b"]
        assert listed.header.revision > second.revision
    await storage.create("c")
    zero = await storage.list(resource_version="0", limit=1)
    assert zero.names == ["b", "c"]
    assert not zero.header.continue_token


async def test_watch_from_a_revision(storage: Storage) -> None:
    """A watch brings every change behind its revision, in order, with the objects' own revisions."""
    first = await storage.create("a")
    second = await storage.update("a", {"data": {"k": "1"}}, first.revision)
    async with storage.watch(resource_version=str(first.revision)) as events:
        created = await storage.create("b")
        deleted = await storage.delete("a")
        await storage.create("elsewhere", namespace="another")
        assert await events.take(3) == [
            ("MODIFIED", "a", second.revision),
            ("ADDED", "b", created.revision),
            ("DELETED", "a", deleted.revision),
        ]
        await events.none()
    async with storage.watch(resource_version=str(first.revision)) as events:
        event = await events.next()
        assert event.object == second.object
        await events.next()
        assert (await events.next()).object == deleted.object


async def test_watch_from_now_and_from_zero(storage: Storage) -> None:
    """Without a revision, or from 0, a watch begins with the current objects."""
    first = await storage.create("a")
    second = await storage.create("b")
    for version in ("", "0"):
        async with storage.watch(resource_version=version) as events:
            assert await events.take(2) == [("ADDED", "a", first.revision), ("ADDED", "b", second.revision)]
            await events.none()


async def test_watch_without_initial_events(storage: Storage) -> None:
    """send_initial_events=false begins with nothing."""
    await storage.create("a")
    for version in ("", "0"):
        async with storage.watch(resource_version=version, send_initial_events=False) as events:
            await events.none()
            created = await storage.create(f"b{version}")
            assert await events.take(1) == [("ADDED", f"b{version}", created.revision)]


async def test_watch_with_initial_events(storage: Storage) -> None:
    """send_initial_events=true ends the current objects with a bookmark, if bookmarks are allowed."""
    first = await storage.create("a")
    options = {"send_initial_events": True, "resource_version_match": "NotOlderThan"}
    async with storage.watch(allow_bookmarks=True, **options) as events:
        assert await events.take(1) == [("ADDED", "a", first.revision)]
        end = await events.next()
        assert end.initial_events_end
        assert end.revision >= first.revision
        created = await storage.create("b")
        assert await events.take(1) == [("ADDED", "b", created.revision)]
    async with storage.watch(resource_version=str(first.revision), **options) as events:
        assert [name for _, name, _ in await events.take(2)] == ["a", "b"]
        await events.none()


async def test_watch_with_selectors(storage: Storage) -> None:
    """Objects that enter a selector are added, those that leave it are deleted in their last selected state."""
    async with storage.watch(label_selector="app=web", resource_version="0") as events:
        first = await storage.create("a", {"labels": {"app": "db"}})
        entered = await storage.update("a", {"labels": {"app": "web"}}, first.revision)
        stayed = await storage.update("a", {"labels": {"app": "web"}, "data": {"k": "1"}}, entered.revision)
        left = await storage.update("a", {"labels": {}}, stayed.revision)
        await storage.delete("a")
        again = await storage.create("b", {"labels": {"app": "web"}})
        deleted = await storage.delete("b")
        assert await events.take(3) == [
            ("ADDED", "a", entered.revision),
            ("MODIFIED", "a", stayed.revision),
            ("DELETED", "a", left.revision),
        ]
        assert await events.take(2) == [("ADDED", "b", again.revision), ("DELETED", "b", deleted.revision)]
        await events.none()
    async with storage.watch(label_selector="app=web", resource_version=str(stayed.revision)) as events:
        event = await events.next()
        last = orjson.loads(event.object)
        assert last["data"] == {"k": "1"}
        assert last["metadata"]["resourceVersion"] == str(left.revision)


async def test_watch_of_one_object_and_of_everything(storage: Storage) -> None:
    """A watch of a name sees that object alone; a watch over all namespaces sees them all."""
    async with (
        storage.watch(storage.key("a"), resource_version="0") as one,
        storage.watch(Key(resource="configmaps"), resource_version="0") as all_of_them,
        storage.watch(field_selector="metadata.name=a", resource_version="0") as by_field,
    ):
        first = await storage.create("a")
        await storage.create("ab")
        other = await storage.create("a", namespace="another")
        deleted = await storage.delete("a")
        expected = [("ADDED", "a", first.revision), ("DELETED", "a", deleted.revision)]
        assert await one.take(2) == expected
        assert await by_field.take(2) == expected
        await one.none()
        seen = await all_of_them.take(4)
        assert seen[2] == ("ADDED", "a", other.revision)


async def test_watch_from_a_future_revision(storage: Storage) -> None:
    """A watch from a revision that is not there yet brings what comes after it."""
    created = await storage.create("a")
    async with storage.watch(resource_version=str(created.revision + 1)) as events:
        await events.none()
        await storage.create("b")
        third = await storage.create("c")
        assert await events.take(1) == [("ADDED", "c", third.revision)]


async def test_watch_refuses_bad_requests(storage: Storage) -> None:
    """A revision that is no number, or a bad selector, fails the call."""
    for options in ({"resource_version": "x"}, {"label_selector": "a b"}):
        async with storage.watch(**options) as events:
            assert events.task is not None
            with pytest.raises(HopError) as caught:
                await events.task
        assert reason(caught.value) == "INVALID"


async def test_list_then_watch_misses_nothing(storage: Storage) -> None:
    """List and watch from its revision, while others write, add up to what is there in the end."""
    stop = asyncio.Event()

    async def write(writer: int) -> None:
        number = 0
        while not stop.is_set():
            name = f"w{writer}-{number % 7}"
            number += 1
            try:
                found = await storage.get(name)
            except HopError:
                await storage.create(name, {"data": {"n": str(number)}})
            else:
                if number % 5 == 0:
                    await storage.delete(name)
                else:
                    await storage.update(name, {"data": {"n": str(number)}}, found.revision)

    writers = [asyncio.create_task(write(n)) for n in range(3)]
    await asyncio.sleep(0.1)
    listed = await storage.list()
    seen = {item["metadata"]["name"]: int(item["metadata"]["resourceVersion"]) for item in listed.items}
    async with storage.watch(resource_version=str(listed.header.revision)) as events:
        await asyncio.sleep(0.4)
        stop.set()
        await asyncio.gather(*writers)
        final = await storage.list()
        revision = listed.header.revision
        last = max([final.header.revision, *(int(i["metadata"]["resourceVersion"]) for i in final.items)])
        while revision < last:
            kind, name, new = (await events.take(1))[0]
            assert new > revision
            revision = new
            if kind == "DELETED":
                del seen[name]
            else:
                assert (kind == "ADDED") == (name not in seen)
                seen[name] = revision
    assert seen == {item["metadata"]["name"]: int(item["metadata"]["resourceVersion"]) for item in final.items}
