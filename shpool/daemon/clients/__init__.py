"""Who is at the other end of a connection: asked, attached, or shown something first."""
