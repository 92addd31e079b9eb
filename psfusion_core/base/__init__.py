"""What every other package stands on: files written whole or not at all, and the wording of messages."""
