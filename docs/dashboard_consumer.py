"""A dashboard in 20 lines: reads complete verdicts from Kafka. Needs `aiokafka` and nothing of Clearframe.

python -u docs/dashboard_consumer.py localhost:9092
"""

import asyncio
import json
import sys

from aiokafka import AIOKafkaConsumer


async def watch(servers: str, topic: str = "verdicts") -> None:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=servers, group_id="dashboard", auto_offset_reset="earliest")
    async with consumer:
        async for record in consumer:
            verdict = json.loads(record.value)["verdict"]
            rules = ", ".join(reason["rule"] for reason in verdict["reasons"])
            sys.stdout.write(f"{verdict['outcome']:8} {verdict['production']} {verdict.get('title')}: {rules}\n")


if __name__ == "__main__":
    asyncio.run(watch(*sys.argv[1:]))
