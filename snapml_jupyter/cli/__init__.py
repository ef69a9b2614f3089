"""The command line: `snapml NOUN VERB`. Parses, calls one operation, prints a table or JSON."""
