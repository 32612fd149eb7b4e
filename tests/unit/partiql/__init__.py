"""Tests of services.region.partiql."""
