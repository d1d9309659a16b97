"""The Redis projection: the newest profile of every customer, for readers that cannot wait for Kafka.

Redis is a view that can be made again from the compacted topic at any time, never the source of truth. A process of its
own (`tierstream project redis`) writes it, so that a slow, full or absent Redis costs the pipeline nothing.
"""
