"""How a run reaches the host: its script, the conversation, and what is heard."""
