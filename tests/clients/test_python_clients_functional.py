"""Other people's Python clients create, list, watch and delete as they do against any cluster."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.support.up import Cluster

# the clients' own code, not ours, warns
pytestmark = pytest.mark.filterwarnings("default")


def test_kubernetes(cluster: Cluster, namespace: str) -> None:
    """The official synchronous client."""
    from kubernetes import client, config, watch

    api = client.CoreV1Api(config.new_client_from_config(str(cluster.kubeconfig)))
    body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="one", labels={"a": "b"}), data={"k": "v"})
    made = api.create_namespaced_config_map(namespace, body)
    listed = api.list_namespaced_config_map(namespace, label_selector="a=b")
    assert [o.metadata.name for o in listed.items] == ["one"]
    seen: list[tuple[str, str]] = []
    watcher = watch.Watch()

    def follow() -> None:
        for event in watcher.stream(
            api.list_namespaced_config_map,
            namespace,
            resource_version=listed.metadata.resource_version,
            timeout_seconds=20,
        ):
            seen.append((event["type"], event["object"].metadata.name))
            if event["type"] == "DELETED":
                watcher.stop()

    thread = threading.Thread(target=follow)
    thread.start()
    made.data = {"k": "w"}
    api.replace_namespaced_config_map("one", namespace, made)
    api.delete_namespaced_config_map("one", namespace)
    thread.join(30)
    assert seen == [("MODIFIED", "one"), ("DELETED", "one")]
    with pytest.raises(client.ApiException) as missing:
        api.read_namespaced_config_map("one", namespace)
    assert missing.value.status == 404


async def test_kubernetes_asyncio(cluster: Cluster, namespace: str) -> None:
    """The official client's asyncio port."""
    from kubernetes_asyncio import client, config, watch

    api_client = await config.new_client_from_config(str(cluster.kubeconfig))
    async with api_client:
        api = client.AppsV1Api(api_client)
        labels = {"app": "x"}
        body = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "x"},
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
            },
        }
        await api.create_namespaced_deployment(namespace, body)
        listed = await api.list_namespaced_deployment(namespace)
        assert [o.metadata.name for o in listed.items] == ["x"]

        async def change() -> None:
            await api.patch_namespaced_deployment(
                "x", namespace, {"metadata": {"labels": {"seen": "yes"}}}, _content_type="application/merge-patch+json"
            )
            await api.delete_namespaced_deployment("x", namespace)

        changing = asyncio.create_task(change())
        seen = []
        async with watch.Watch() as watcher:
            async for event in watcher.stream(
                api.list_namespaced_deployment,
                namespace,
                resource_version=listed.metadata.resource_version,
                timeout_seconds=20,
            ):
                seen.append(event["type"])
                if event["type"] == "DELETED":
                    break
        await changing
        assert seen == ["MODIFIED", "DELETED"]


def test_lightkube(cluster: Cluster, namespace: str) -> None:
    """lightkube creates, patches, lists, watches and deletes."""
    from lightkube import ApiError, Client, KubeConfig
    from lightkube.models.meta_v1 import ObjectMeta
    from lightkube.resources.core_v1 import Secret

    client = Client(config=KubeConfig.from_file(str(cluster.kubeconfig)), namespace=namespace)
    client.create(Secret(metadata=ObjectMeta(name="s"), stringData={"a": "b"}))
    client.patch(Secret, "s", {"metadata": {"labels": {"x": "y"}}})
    assert [s.metadata.name for s in client.list(Secret, labels={"x": "y"})] == ["s"]
    for change, found in client.watch(Secret, server_timeout=10):
        assert (change, found.data) == ("ADDED", {"a": "Yg=="})
        break
    client.delete(Secret, "s")
    with pytest.raises(ApiError):
        client.get(Secret, "s")


async def test_kr8s(cluster: Cluster, namespace: str) -> None:
    """kr8s creates, lists, watches, scales and deletes."""
    import kr8s.asyncio
    from kr8s.asyncio.objects import ConfigMap

    api = await kr8s.asyncio.api(kubeconfig=str(cluster.kubeconfig), namespace=namespace)
    one = await ConfigMap({"metadata": {"name": "one", "namespace": namespace}, "data": {"a": "b"}}, api=api)
    await one.create()
    assert [o.name async for o in api.get("configmaps", namespace=namespace)] == ["one"]
    async for kind, found in api.watch("configmaps", namespace=namespace):
        assert (kind, found.name) == ("ADDED", "one")
        break
    await one.label({"x": "y"})
    assert one.labels["x"] == "y"
    await one.delete()
    assert not await one.exists()
