"""How a partition is owned, folded and committed exactly once, on top of Faust and aiokafka. Knows nothing of customers.

stage.py       what a stage must offer                    transport.py  Faust's consumer, one message per fetched chunk
records.py     record batches on the wire, both ways      table.py      a Faust table whose changelog is written in transactions
cluster.py     one client for everything but the group    partition.py  one partition's task: keeps a tenure alive
producer.py    transactions with a strict end             tenure.py     restored state, cursor, producer: from epoch to failure
position.py    where a partition stands in its input      restore.py    changelog -> stage, in bulk
"""
