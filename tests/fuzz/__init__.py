"""Every parser of foreign bytes under a fuzzer (`.ci/fuzz`); what it has found is replayed by the unit tests."""
