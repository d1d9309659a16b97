"""How a partition is owned, folded and committed exactly once, over Faust and aiokafka. Knows nothing of customers.

stage.py        what a stage must offer
engine.py       puts everything together into a Faust application; run.py makes it a process
transport.py    Faust's consumer with one message per fetched chunk; consumer_thread.py and chunks.py are its other side
table.py        a Faust table whose partitions are tasks
partition.py    one partition's task: keeps a tenure alive, judges failures
tenure.py       restored state, cursor, inbox and producer: from a producer epoch to a failure; opening.py makes one
producer.py     transactions with a strict end; answers.py says what a broker's answer means
restore.py      changelog to stage, in bulk; position.py says where the input goes on
cluster.py      one client for everything but the consumer group
"""
