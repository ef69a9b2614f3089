"""What things are: frozen records, enums, rules and errors. Standard library only."""
