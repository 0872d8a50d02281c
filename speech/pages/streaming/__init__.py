"""Pages that stream audio, and what they need: tickets, and the engines and models to choose from."""
