"""The command line, `stance`: thin Typer commands over the library, and the only part that prints."""
