"""The bus of several machines: Apache Kafka through aiokafka."""

from shared.bus.kafka.bus import KafkaBus
from shared.bus.kafka.security import KafkaSecurity

__all__ = ["KafkaBus", "KafkaSecurity"]
