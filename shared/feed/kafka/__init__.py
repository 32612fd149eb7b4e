"""The feed on Kafka: one cluster per region, one topic per table, one topic partition per partition.

Sequences decide, offsets only say where to read on: records carry their origin sequence as key, repeats are harmless,
and whatever Kafka may have lost (a log cut short, a topic emptied or made anew) is reported as an interruption, so
that it is filled from the source's own change log. The only package that knows aiokafka.
"""
