"""The HTTP border: sockets, TLS, and the translation between aiohttp and the gateway's own request and answer."""
