"""Completions for bash, zsh and fish, made from the table of commands that the help is made of."""
