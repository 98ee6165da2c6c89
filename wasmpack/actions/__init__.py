"""One module per arrow of the data flow: each command of the CLI is a few lines over these."""
