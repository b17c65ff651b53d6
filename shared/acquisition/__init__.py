"""From what happened to what is to be done: signals in, decisions and commands out."""
