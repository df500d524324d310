"""What Kafka, PostgreSQL and S3 have in common when they run on this machine without Docker. Standard library only."""
