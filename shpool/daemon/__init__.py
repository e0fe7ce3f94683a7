"""The process that owns the shells and tells subscribers what becomes of them."""
