"""Serves the bare repositories in a folder by dulwich, an implementation of Git of its own, on a free port, which it prints."""

import sys
from pathlib import Path
from wsgiref.simple_server import make_server

from dulwich.repo import Repo
from dulwich.server import DictBackend
from dulwich.web import WSGIRequestHandlerLogger, WSGIServerLogger, make_wsgi_chain

backend = DictBackend({f"/{path.name}": Repo(str(path)) for path in Path(sys.argv[1]).glob("*.git")})
server = make_server(
    "127.0.0.1",
    0,
    make_wsgi_chain(backend),
    handler_class=WSGIRequestHandlerLogger,
    server_class=WSGIServerLogger,
)
print(server.server_port, flush=True)
server.serve_forever()
