"""Text in, document out, and back; no database."""
