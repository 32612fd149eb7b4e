"""`python -m deploy.dashboards`: writes every dashboard's JSON into the folder that Grafana reads."""

from deploy.dashboards.files import write_dashboards

write_dashboards()
