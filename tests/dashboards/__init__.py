"""Dashboards, recording rules and alerts: current, well-formed, and each query answered by a real Prometheus."""
