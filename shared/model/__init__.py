"""Attribute values, item sizes, keys and table descriptions: the same in every region, and pure."""
