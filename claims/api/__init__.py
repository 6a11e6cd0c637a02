"""`/api/v1/<org>/conversations/`: what agents see of conversations, and do to them."""
