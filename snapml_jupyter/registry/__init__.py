"""What can be done with registered models: register, look up, promote, export, load."""
