"""Grafana dashboards as code: `python -m deploy.dashboards` writes their JSON, which Grafana is provisioned with."""
