// A plain Node.js server with every default untouched (server.keepAliveTimeout is 5 s).
// Each event is one JSON line on stdout, so that connections and executions can be counted.
'use strict';

const http = require('http');

const log = (event) => console.log(JSON.stringify({ time: Date.now() / 1000, ...event }));

let connections = 0;
let requests = 0;

const server = http.createServer((req, res) => {
  log({ event: 'request', n: ++requests, connection: req.socket.n, method: req.method, url: req.url });
  // The answer waits for the whole body: an early one would be a scenario of its own.
  req.resume().on('end', () => {
    res.setHeader('Content-Type', 'text/plain');
    res.end(`${req.method} ${req.url} answered by Node.js ${process.version}\n`);
  });
});

server.on('connection', (socket) => {
  socket.n = ++connections;
  const remote = `${socket.remoteAddress}:${socket.remotePort}`;
  log({ event: 'connection', connection: socket.n, remote });
  socket.on('close', (failed) => log({ event: 'close', connection: socket.n, remote, failed }));
});

server.listen(8080, '0.0.0.0', () => log({ event: 'listening', port: server.address().port, server: 'node', version: process.versions.node }));
