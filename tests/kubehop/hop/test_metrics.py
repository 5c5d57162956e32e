"""Metrics of hops in Prometheus' form."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from kubehop.hop import metrics


def test_families() -> None:
    """What both sides recorded comes out as counters, gauges and histograms with the right names."""
    stats = metrics.method_stats("server", "sample", "/a.B/C")
    stats.record("OK", 0.0002, 10, 20)
    stats.record("OK", 100.0, 10, 20)
    stats.record("NOT_FOUND", 0.003, 10, 0)
    metrics.lane_stats("client", "sample").frames_out = 7
    registry = CollectorRegistry()
    metrics.register(registry)
    text = generate_latest(registry).decode()
    labels = 'method="/a.B/C",stage="sample"'
    assert f'kubehop_hop_server_calls_total{{code="OK",{labels}}} 2.0' in text
    assert f'kubehop_hop_server_calls_total{{code="NOT_FOUND",{labels}}} 1.0' in text
    assert f'kubehop_hop_server_duration_seconds_bucket{{le="0.00025",{labels}}} 1.0' in text
    assert f'kubehop_hop_server_duration_seconds_bucket{{le="30.0",{labels}}} 2.0' in text
    assert f'kubehop_hop_server_duration_seconds_bucket{{le="+Inf",{labels}}} 3.0' in text
    assert f"kubehop_hop_server_duration_seconds_count{{{labels}}} 3.0" in text
    assert f"kubehop_hop_server_received_bytes_total{{{labels}}} 30.0" in text
    assert 'kubehop_hop_client_frames_total{direction="out",stage="sample"} 7.0' in text


def test_resolved_once() -> None:
    """The counters of a method are one object, which callers keep."""
    assert metrics.method_stats("client", "x", "/m") is metrics.method_stats("client", "x", "/m")
    assert metrics.method_stats("client", "x", "/m") is not metrics.method_stats("server", "x", "/m")
