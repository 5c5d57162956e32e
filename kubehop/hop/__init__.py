"""The hop: how one stage of kubehop calls another.

Every stage serves its typed gRPC contract with `kubehop.hop.server.StageServer` and calls others with
`kubehop.hop.client.StageClient`. Both sides speak plain unary and streaming gRPC, so that a stage in any language
can take part; where both are built on this package, unary calls share one long-lived stream, the exchange lane
(`lane` on the caller's side, `exchange` on the stage's). docs/hop.md explains the transport.

Import the modules, not names from here: a process loads only the sides that it uses.
"""
