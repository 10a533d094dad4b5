# Gunicorn with every timeout untouched (keepalive is 2 s). This file is both its settings and its application.
# Each event is one JSON line on stdout, so that executions can be counted.
import itertools
import json

import gunicorn

bind = "0.0.0.0:8080"
wsgi_app = "server:app"
# The default class, sync, closes behind every answer; gthread is the one that keeps connections and needs nothing else.
worker_class = "gthread"

requests = itertools.count(1)


def log(**event):
    print(json.dumps(event), flush=True)


def when_ready(arbiter):
    log(event="listening", port=8080, server="gunicorn", version=gunicorn.__version__)


def app(environ, start_response):
    method, url = environ["REQUEST_METHOD"], environ["RAW_URI"]
    log(event="request", n=next(requests), method=method, url=url)
    environ["wsgi.input"].read()
    answer = f"{method} {url} answered by Gunicorn {gunicorn.__version__}\n".encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))])
    return [answer]
