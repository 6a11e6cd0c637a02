"""The wiring of `/api/`: who comes in, how bodies are read and errors answered, documentation."""
