"""The Python face: `import snapml_jupyter as snap`. Each call is a thin name over one service, on the current workspace."""
