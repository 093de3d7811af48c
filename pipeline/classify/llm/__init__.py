"""Ask a language model at an address that the user names; never the default, and nothing else depends on it."""
