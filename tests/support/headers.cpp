// Nothing: the target is there for the headers it precompiles.
