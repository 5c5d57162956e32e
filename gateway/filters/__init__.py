"""The gateway's filters, one per module, put in order by `gateway.chain`.

Each module has one function `wrap(handler, ...)` that takes the next handler of the chain and what the filter works
with, and returns the handler that does both. Chains are composed once at start; a request only walks them.
"""
