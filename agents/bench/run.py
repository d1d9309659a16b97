"""Runs the chosen measurements one after the other on one ground."""

from collections.abc import Callable, Collection

from agents.bench import latency, mechanisms, restore, scoring, shoppers, silence, throughput
from agents.bench.ground import Options, prepared
from agents.bench.report import Results
from agents.bench.workload import CURRENCY, TIME_ZONE, WORKLOADS
from agents.policy_files import configured_policy
from agents.settings import PolicySettings, Settings

MEASUREMENTS = ("throughput", "latency", "silence", "restore", "state", "churn", "mechanisms")
ON_NO_BROKER = {"state", "churn", "mechanisms"}


def run(options: Options, chosen: Collection[str], say: Callable[[str], None]) -> Results:
    """Measure; nothing is left running or lying about, however it ends."""
    results = Results()
    if "state" in chosen:
        say("state: folding the purchases of CDNOW")
        settings = Settings(policy=PolicySettings(currency=CURRENCY, time_zone=TIME_ZONE))
        results.state = shoppers.measure(configured_policy(settings))
    if "mechanisms" in chosen:
        results.mechanisms = mechanisms.measure(say)
    if "churn" in chosen:
        results.churn = scoring.measure(say)
    if set(chosen) <= ON_NO_BROKER:
        return results
    with prepared(options) as ground:
        if "throughput" in chosen:
            for workload in WORKLOADS:
                results.throughput[workload.name] = throughput.measure(ground, options, workload, say)
        if "latency" in chosen:
            results.latency = latency.measure(ground, options, say)
        if "silence" in chosen:
            results.silence = silence.measure(ground, options, say)
        if "restore" in chosen:
            results.restore = restore.measure(ground, options, say)
    return results
