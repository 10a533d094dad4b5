# Uvicorn with every timeout untouched (timeout_keep_alive is 5 s).
# Each event is one JSON line on stdout, so that executions can be counted.
import itertools
import json

import uvicorn

requests = itertools.count(1)


def log(**event):
    print(json.dumps(event), flush=True)


async def app(scope, receive, send):
    method = scope["method"]
    url = b"?".join(filter(None, (scope["raw_path"], scope["query_string"]))).decode()
    log(event="request", n=next(requests), method=method, url=url)
    while (await receive()).get("more_body"):
        pass
    answer = f"{method} {url} answered by Uvicorn {uvicorn.__version__}\n".encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        log(event="listening", port=8080, server="uvicorn", version=uvicorn.__version__)


# Its access log would stand among the events on stdout.
Server(uvicorn.Config(app, host="0.0.0.0", port=8080, lifespan="off", access_log=False)).run()
