"""The storage stage: keeps objects in etcd, serves reads from memory, and lets watches follow."""
