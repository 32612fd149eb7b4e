"""What it takes to run Meridian in containers and to watch it there; `dashboards` is the part that is Python."""
