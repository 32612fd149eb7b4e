"""Versions, seen vectors and resolve(): any order and any repetition of changes gives the same item. Pure."""
