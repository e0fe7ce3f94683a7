"""What there is: sessions, the table of them, who is told, and what is remembered of a terminal."""
