"""`make demo`: a studio's day in two minutes, with works and uploads drawn here by code."""
