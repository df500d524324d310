"""A rulebook of one rule, to be changed by tests."""

HEADER = (
    "rulebook: {id: small, version: 1.0.0, title: A small one,"
    " baseline: {production: p, genai_used: yes, deliverable: temporary}}\n"
)
RULE = """rules:
- id: R-1
  title: A rule
  serves: audience_trust
  when: {deliverable: final}
  outcome: caution
  because: It is final.
  examples: {fires: [{declare: {deliverable: final}}], near_miss: [{}]}
"""
GOOD = HEADER + RULE
