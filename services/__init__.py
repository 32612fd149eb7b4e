"""The programs: the region service, the replicator, and the lab that runs several of each."""
